//! What an expression reads from outside itself: variables, parts of `$states`, and the context
//! item that Step Functions does not have (ASL A4.17, A4.18).

use std::collections::{BTreeMap, BTreeSet};

use jsonata_core::ast::{AstNode, BinaryOp, PathStep, Stage};

/// The names that one expression reads. Variables are without their `$`.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Names {
    /// Variables that the expression does not bind itself, functions among them; not `states`.
    pub variables: BTreeSet<String>,
    /// What it reads of `$states`.
    pub states: Use,
    /// Names read from the context item at the top level, in order; `$` for the item itself.
    pub context: Vec<String>,
    /// Whether `$$` stands anywhere.
    pub root: bool,
    /// Variables that it binds itself.
    pub bound: BTreeSet<String>,
}

/// How much of a value is read: all of it, or these fields of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Use {
    Whole,
    Fields(BTreeMap<String, Use>),
}

impl Default for Use {
    fn default() -> Self {
        Use::Fields(BTreeMap::new())
    }
}

impl Use {
    pub fn field(&self, name: &str) -> Option<&Use> {
        match self {
            Use::Whole => Some(self),
            Use::Fields(fields) => fields.get(name),
        }
    }

    fn add(&mut self, path: &[&str]) {
        let Use::Fields(fields) = self else { return };
        match path {
            [] => *self = Use::Whole,
            [name, rest @ ..] => fields.entry((*name).to_owned()).or_default().add(rest),
        }
    }
}

/// The names that `ast` reads.
pub fn of(ast: &AstNode) -> Names {
    let mut walk = Walk::default();
    walk.node(ast, true);
    let mut names = walk.names;
    for bound in &names.bound {
        names.variables.remove(bound);
    }
    if walk.ancestors {
        // `%` climbs back to values that no path names.
        names.states.add(&[]);
    }
    names
}

#[derive(Default)]
struct Walk {
    names: Names,
    ancestors: bool,
}

impl Walk {
    /// `top` says that the node is evaluated against the context item of the whole expression.
    /// Only a path's first step is, and whatever else is not inside a later step, a predicate,
    /// a sort term or a grouping; the body of a lambda is, where the lambda is.
    fn node(&mut self, node: &AstNode, top: bool) {
        match node {
            AstNode::Name(name) => self.context(name, top),
            AstNode::Variable(name) => self.variable(name, top),
            AstNode::ParentVariable(_) => self.names.root = true,
            AstNode::Parent(_) => self.ancestors = true,
            AstNode::Path { steps } => self.path(steps, top),
            AstNode::Binary {
                op: BinaryOp::ColonEqual,
                lhs,
                rhs,
            } => {
                self.bind(lhs);
                self.node(rhs, top);
            }
            AstNode::Binary {
                op: BinaryOp::FocusBind | BinaryOp::IndexBind,
                lhs,
                rhs,
            } => {
                self.node(lhs, top);
                self.bind(rhs);
            }
            AstNode::Binary { lhs, rhs, .. } => self.both(lhs, rhs, top),
            AstNode::Unary { operand, .. } => self.node(operand, top),
            AstNode::Function {
                name,
                args,
                is_builtin,
            } => {
                if *is_builtin {
                    self.variable(name, top);
                } else {
                    self.context(name, top);
                }
                self.each(args, top);
            }
            AstNode::Call { procedure, args } => {
                self.node(procedure, top);
                self.each(args, top);
            }
            AstNode::Lambda { params, body, .. } => {
                self.names.bound.extend(params.iter().cloned());
                self.node(body, top);
            }
            AstNode::Array(items) | AstNode::ArrayGroup(items) | AstNode::Block(items) => {
                self.each(items, top);
            }
            AstNode::Object(pairs) => self.pairs(pairs, top),
            AstNode::ObjectTransform { input, pattern } => {
                self.node(input, top);
                self.pairs(pattern, false);
            }
            AstNode::Conditional {
                condition,
                then_branch,
                else_branch,
            } => {
                self.both(condition, then_branch, top);
                if let Some(branch) = else_branch {
                    self.node(branch, top);
                }
            }
            AstNode::FunctionApplication(inner) => self.node(inner, false),
            AstNode::Sort { input, terms } => {
                self.node(input, top);
                terms.iter().for_each(|(term, _)| self.node(term, false));
            }
            AstNode::Transform {
                location,
                update,
                delete,
            } => {
                self.both(location, update, false);
                if let Some(delete) = delete {
                    self.node(delete, false);
                }
            }
            AstNode::String(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Undefined
            | AstNode::Placeholder
            | AstNode::Regex { .. }
            | AstNode::Wildcard
            | AstNode::Descendant => {}
        }
    }

    fn path(&mut self, steps: &[PathStep], top: bool) {
        for (at, step) in steps.iter().enumerate() {
            let is_states =
                at == 0 && matches!(&step.node, AstNode::Variable(name) if name == "states");
            if is_states {
                self.names.states.add(&fields_after(steps));
            } else {
                self.node(&step.node, top && at == 0);
            }
            self.names
                .bound
                .extend(step.focus.iter().chain(&step.index_var).cloned());
            for stage in &step.stages {
                match stage {
                    Stage::Filter(predicate) => self.node(predicate, false),
                    Stage::Index(name) => drop(self.names.bound.insert(name.clone())),
                    Stage::KeepArray => {}
                }
            }
        }
    }

    fn variable(&mut self, name: &str, top: bool) {
        match name {
            "" => self.context("$", top),
            "$" => self.names.root = true,
            "states" => self.names.states.add(&[]),
            _ => drop(self.names.variables.insert(name.to_owned())),
        }
    }

    fn context(&mut self, name: &str, top: bool) {
        if top && !self.names.context.iter().any(|known| known == name) {
            self.names.context.push(name.to_owned());
        }
    }

    fn bind(&mut self, target: &AstNode) {
        if let AstNode::Variable(name) = target {
            self.names.bound.insert(name.clone());
        }
    }

    fn both(&mut self, one: &AstNode, other: &AstNode, top: bool) {
        self.node(one, top);
        self.node(other, top);
    }

    fn each(&mut self, nodes: &[AstNode], top: bool) {
        nodes.iter().for_each(|node| self.node(node, top));
    }

    fn pairs(&mut self, pairs: &[(AstNode, AstNode)], top: bool) {
        pairs
            .iter()
            .for_each(|(key, value)| self.both(key, value, top));
    }
}

/// The fields that a path through `$states` reads, as far as it only names fields.
fn fields_after(steps: &[PathStep]) -> Vec<&str> {
    let plain = |step: &PathStep| {
        step.stages.is_empty() && step.focus.is_none() && step.index_var.is_none()
    };
    let mut fields = Vec::new();
    let mut previous = &steps[0];
    for step in &steps[1..] {
        match &step.node {
            AstNode::Name(name) if plain(previous) => fields.push(name.as_str()),
            _ => break,
        }
        previous = step;
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Names {
        of(&jsonata_core::parser::parse(text).unwrap_or_else(|error| panic!("{text}: {error}")))
    }

    /// AWS names these in "Reference to '…' at the top level is not supported." (measured, floci #2670).
    #[test]
    fn a_name_read_from_the_context_item_is_told() {
        for text in [
            "phone",
            "phone[0].number",
            "phone.number.street",
            "-phone",
            "phone ? 1 : 2",
            "$states.input.a ? phone : 2",
            "phone & 'x'",
            "phone in $states.input.b",
            "$sum(phone)",
            "phone(1)",
            "phone ~> $string()",
            "[1..phone]",
            "(phone)",
            "(phone).other",
            "[phone].other",
            "[phone, 1]",
            "{phone: 1}",
            "($x := phone; $x)",
            "$map($states.input.a, function($y){ phone })",
            "$count(phone[inner])",
            "phone.**.deeper",
        ] {
            assert_eq!(names(text).context, ["phone"], "{text}");
        }
        for text in [
            "$",
            "$.phone",
            "$[0]",
            "$string($)",
            "$map($states.input.a, function($x){ $ })",
        ] {
            assert_eq!(names(text).context, ["$"], "{text}");
        }
        assert_eq!(names("[bbb, aaa]").context, ["bbb", "aaa"]);
        assert_eq!(names("aaa + aaa").context, ["aaa"]);
        assert_eq!(names("$number(aaa) + $number(bbb)").context, ["aaa", "bbb"]);
    }

    /// AWS accepts these (measured, floci #2670).
    #[test]
    fn a_name_read_from_a_value_is_nothing_from_outside() {
        for text in [
            "$states.input.phone",
            "$states.input.a[0].phone",
            "$states.input.items[phone > 3]",
            "$states.input.a^(phone)",
            "$states.input.a{'k': phone}",
            "$states.input.a.(phone)",
            "$states.input.a.$phone",
            "$phone",
            "$states.input.a ~> $string()",
            "$states.input ~> |phone|{'b': 1}|",
            "**.phone",
            "{'k': 1}.phone",
            "$states.input.a[0][phone]",
            "$states.input.a[$ > 1]",
            "function($x){ $x.phone }",
            "$map($states.input.a, function($x){ $x.phone })",
            "'phone'",
            "1 + 1",
            "$now()",
        ] {
            assert!(names(text).context.is_empty(), "{text}");
        }
    }

    #[test]
    fn the_root_is_told_wherever_it_stands() {
        for text in ["$$", "$$.phone", "$states.input.a[$$.b]"] {
            assert!(names(text).root, "{text}");
        }
        assert!(!names("$states.input").root);
    }

    #[test]
    fn variables_are_those_that_the_expression_does_not_bind() {
        let found =
            names("($x := $a; $map($b, function($v, $i) { $v + $i + $c })) & $states.input.d");
        let free: Vec<_> = found.variables.iter().map(String::as_str).collect();
        assert_eq!(free, ["a", "b", "c", "map"]);
    }

    #[test]
    fn only_the_parts_of_states_that_are_read_are_told() {
        let found =
            names("$states.input.a.b & $states.input.c[d = 1].e & $states.context.Execution.Id");
        let input = found.states.field("input").expect("input is read");
        assert_eq!(
            input.field("a").and_then(|a| a.field("b")),
            Some(&Use::Whole)
        );
        assert_eq!(input.field("c"), Some(&Use::Whole));
        assert_eq!(input.field("z"), None);
        assert!(found.states.field("context").is_some());
        assert_eq!(found.states.field("result"), None);
        assert_eq!(names("$states").states, Use::Whole);
        assert_eq!(names("$states.*").states, Use::Whole);
        assert_eq!(names("$states.input.a.%.b").states, Use::Whole);
    }
}
