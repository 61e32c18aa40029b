//! Writes into an expression the checks that the evaluator lacks.
//!
//! The evaluator bounds depth, time and the length of sequences, and stops at its next node once
//! memory runs out (see [`super::memory`]). Two things get past that. One call of a built-in
//! function can build more than there is memory for, or walk more than there is time for, without
//! ever coming to another node: `$pad("", 1e15)`. And a value that shares its parts, such as
//! `[$x, $x]` fed to itself forty times, is small until something walks it. So what such functions
//! take, what is bound to a variable and what a function of the expression's own is called with
//! goes through a check of its size (`checks`), as on AWS every value does.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::checks::*;
use super::growth::{Growth, is_literal, is_small, needs_small_arguments};
use super::walk::for_each_child;

/// An expression with its checks.
#[derive(Debug)]
pub struct Checked {
    pub ast: AstNode,
    /// How many levels deeper it nests with them.
    pub levels: usize,
}

/// `ast` with the checks written into it.
///
/// A name such as `$pad` that is not called may be the function, for something else to call, or a
/// variable. A name in `variables` is taken for a variable.
pub fn checked(ast: &AstNode, variables: &dyn Fn(&str) -> bool) -> Checked {
    let mut ast = ast.clone();
    let feeds_back = feeds_back(&mut ast);
    Guard {
        feeds_back,
        variables,
    }
    .visit(&mut ast, false);
    Checked {
        levels: nested_checks(&mut ast),
        ast,
    }
}

/// The functions that cannot go without a lambda around them where they are not called by name.
pub fn is_wrapped_as_value(name: &str) -> bool {
    name == "eval" || arity_of_risky(name).is_some() || arity_of_added(name).is_some()
}

fn nested_checks(node: &mut AstNode) -> usize {
    let here = matches!(node, AstNode::Function { name, .. } if name.contains(' '));
    let mut below = 0;
    for_each_child(node, &mut |child| below = below.max(nested_checks(child)));
    below + usize::from(here)
}

/// Whether the result of a lambda can become its argument without going through a variable or a
/// call that is written out: by `$reduce`, or by composing functions.
fn feeds_back(node: &mut AstNode) -> bool {
    let here = match node {
        AstNode::Variable(name) | AstNode::Function { name, .. } => name == "reduce",
        AstNode::Binary {
            op: BinaryOp::ChainPipe,
            rhs,
            ..
        } => !matches!(**rhs, AstNode::Function { .. }),
        _ => false,
    };
    let mut found = here;
    for_each_child(node, &mut |child| found = found || feeds_back(child));
    found
}

struct Guard<'a> {
    feeds_back: bool,
    variables: &'a dyn Fn(&str) -> bool,
}

impl Guard<'_> {
    /// `has_item` says that the node is evaluated with an item of some value as its context.
    fn visit(&self, node: &mut AstNode, has_item: bool) {
        match node {
            AstNode::Binary {
                op: BinaryOp::ColonEqual,
                rhs,
                ..
            } => {
                self.visit(rhs, has_item);
                wrap(rhs, Growth::OfMany);
            }
            AstNode::Binary {
                op: BinaryOp::ChainPipe,
                lhs,
                rhs,
            } if is_plain_call(rhs) => {
                self.visit(lhs, has_item);
                self.visit_piped_call(lhs, rhs, has_item);
            }
            AstNode::Path { .. } => {
                let mut is_first = true;
                for_each_child(node, &mut |child| {
                    self.visit(child, has_item || !is_first);
                    is_first = false;
                });
                self.check(node, has_item);
            }
            _ => {
                let gives_item = matches!(
                    node,
                    AstNode::FunctionApplication(_)
                        | AstNode::Sort { .. }
                        | AstNode::ObjectTransform { .. }
                        | AstNode::Transform { .. }
                );
                for_each_child(node, &mut |child| self.visit(child, has_item || gives_item));
                self.check(node, has_item);
            }
        }
    }

    /// `left ~> $function(…)`, where the left side is the first argument.
    fn visit_piped_call(&self, left: &mut AstNode, right: &mut AstNode, has_item: bool) {
        let AstNode::Function { name, args, .. } = right else {
            return;
        };
        args.iter_mut()
            .for_each(|argument| self.visit(argument, has_item));
        let mut all = vec![left];
        all.extend(args);
        check_call(name, &mut all);
    }

    fn check(&self, node: &mut AstNode, has_item: bool) {
        match node {
            AstNode::Variable(_) => self.check_variable(node),
            AstNode::Binary {
                op: BinaryOp::Concatenate | BinaryOp::Equal | BinaryOp::NotEqual | BinaryOp::In,
                lhs,
                rhs,
            } => {
                wrap(lhs, Growth::OfOneStep);
                wrap(rhs, Growth::OfOneStep);
            }
            AstNode::Function {
                name,
                args,
                is_builtin: true,
            } => {
                if let Some(arity) = arity_of_risky(name)
                    && args.iter().any(is_placeholder)
                {
                    let procedure = Box::new(as_lambda(name, arity));
                    *node = AstNode::Call {
                        procedure,
                        args: std::mem::take(args),
                    };
                    return;
                }
                if has_item && takes_context(name, args.len()) {
                    args.insert(0, AstNode::Variable(String::new()));
                }
                check_call(name, &mut args.iter_mut().collect::<Vec<_>>());
            }
            AstNode::Call { args, .. } => wrap_all(&mut args.iter_mut().collect::<Vec<_>>()),
            AstNode::Path { steps } => {
                // A variable is no node that the evaluator checks at, and as a step it comes once an item.
                for step in &mut steps[1..] {
                    if matches!(&step.node, AstNode::Variable(name) if !name.is_empty()) {
                        call(&mut step.node, CHECK);
                    }
                }
            }
            AstNode::Lambda { body, .. } if self.feeds_back => wrap_results(body),
            _ => {}
        }
    }

    fn check_variable(&self, node: &mut AstNode) {
        let AstNode::Variable(name) = node else {
            return;
        };
        match (
            arity_of_risky(name),
            arity_of_added(name),
            (self.variables)(name),
        ) {
            (Some(_), _, true) => call(node, CHECK_NO_FUNCTION),
            (Some(arity), _, false) | (_, Some(arity), false) => *node = as_lambda(name, arity),
            // AWS has no such function (ASL A4.18).
            (None, None, false) if name == "eval" => *node = AstNode::Undefined,
            _ => {}
        }
    }
}

fn is_plain_call(node: &AstNode) -> bool {
    matches!(node, AstNode::Function { args, is_builtin: true, .. } if !args.iter().any(is_placeholder))
}

/// AWS's functions: one that is handed to `$map` and its kind is called with as many arguments as it takes.
fn arity_of_added(name: &str) -> Option<usize> {
    match name {
        "uuid" => Some(0),
        "random" | "parse" => Some(1),
        "partition" | "hash" => Some(2),
        "range" => Some(3),
        _ => None,
    }
}

/// The functions that are checked by more than the size of each argument, with their arity.
fn arity_of_risky(name: &str) -> Option<usize> {
    match name {
        "distinct" => Some(1),
        "join" | "formatInteger" => Some(2),
        "pad" | "match" | "split" => Some(3),
        "replace" => Some(4),
        _ => None,
    }
}

/// Whether a call leaves out its first argument, for the context item to take its place.
fn takes_context(name: &str, arguments: usize) -> bool {
    matches!((name, arguments), ("match" | "split", 1) | ("replace", 2))
}

/// A risky function as a value: a lambda that makes the checked call.
fn as_lambda(name: &str, arity: usize) -> AstNode {
    let params: Vec<String> = (1..=arity).map(|at| format!("argument {at}")).collect();
    let mut args: Vec<AstNode> = params.iter().cloned().map(AstNode::Variable).collect();
    check_call(name, &mut args.iter_mut().collect::<Vec<_>>());
    let body = AstNode::Function {
        name: name.to_owned(),
        args,
        is_builtin: true,
    };
    AstNode::Lambda {
        params,
        body: Box::new(body),
        signature: None,
        thunk: false,
    }
}

fn check_call(name: &str, args: &mut [&mut AstNode]) {
    match (name, args) {
        ("pad", args) => args
            .iter_mut()
            .for_each(|argument| call(argument, CHECK_WIDTH)),
        ("join", [items, separator]) => {
            call(items, NOTE);
            call(separator, CHECK_REPEATED);
        }
        ("match" | "split", [text, pattern, rest @ ..]) => {
            call(text, NOTE);
            call(pattern, CHECK_MATCHES);
            wrap_all(rest);
        }
        ("replace", [text, pattern, replacement, rest @ ..]) => {
            call(text, NOTE);
            call(pattern, NOTE_MATCHES);
            call(replacement, CHECK_REPEATED);
            wrap_all(rest);
        }
        ("formatInteger", [number, picture]) if !is_literal(picture) || starts_roman(picture) => {
            call(number, NOTE);
            call(picture, CHECK_PICTURE);
        }
        ("distinct", args) => args
            .iter_mut()
            .for_each(|argument| call(argument, CHECK_PAIRS)),
        ("string", args) => args
            .iter_mut()
            .for_each(|argument| wrap(argument, Growth::OfOneStep)),
        (name, args) if needs_small_arguments(name) => wrap_all(args),
        _ => {}
    }
}

fn starts_roman(picture: &AstNode) -> bool {
    matches!(picture, AstNode::String(text) if text.starts_with(['I', 'i']))
}

fn is_placeholder(node: &AstNode) -> bool {
    matches!(node, AstNode::Placeholder)
}

fn wrap_all(nodes: &mut [&mut AstNode]) {
    nodes.iter_mut().for_each(|node| wrap(node, Growth::OfMany));
}

/// Check the value of `node`, unless it cannot be much larger than what is there already.
fn wrap(node: &mut AstNode, growth: Growth) {
    if !is_small(node, growth) {
        call(node, CHECK);
    }
}

fn call(node: &mut AstNode, check: &str) {
    if matches!(node, AstNode::Placeholder | AstNode::Lambda { .. }) {
        return;
    }
    let argument = std::mem::replace(node, AstNode::Null);
    *node = AstNode::Function {
        name: check.to_owned(),
        args: vec![argument],
        is_builtin: true,
    };
}

/// Check what a lambda's body gives, past the blocks and conditions that hand it on. A call of a
/// function of the expression's own stays as it is: it is a tail call, and has checks of its own.
fn wrap_results(body: &mut AstNode) {
    match body {
        AstNode::Block(nodes) => {
            if let Some(last) = nodes.last_mut() {
                wrap_results(last);
            }
        }
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => {
            wrap_results(then_branch);
            if let Some(branch) = else_branch {
                wrap_results(branch);
            }
        }
        AstNode::Call { .. } => {}
        AstNode::Function { name, .. } if needs_small_arguments(name) && name != "string" => {}
        node => wrap(node, Growth::OfMany),
    }
}
