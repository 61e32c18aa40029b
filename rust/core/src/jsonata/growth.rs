//! Which nodes of an expression can have a value much larger than the values that they read.

use jsonata_core::ast::{AstNode, BinaryOp};

/// How often the growth of a value may repeat.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Growth {
    /// The value goes to a function and is gone: twice as large does no harm.
    OfOneStep,
    /// The value is kept, and may grow again.
    OfMany,
}

/// Whether a node's value is at most about as large as the values that it reads.
pub fn is_small(node: &AstNode, growth: Growth) -> bool {
    let small = |node: &AstNode| is_small(node, growth);
    match node {
        AstNode::Variable(_)
        | AstNode::Name(_)
        | AstNode::ParentVariable(_)
        | AstNode::Parent(_) => true,
        AstNode::Path { steps } => {
            steps[1..]
                .iter()
                .all(|step| matches!(step.node, AstNode::Name(_) | AstNode::Wildcard))
                && small(&steps[0].node)
        }
        AstNode::Binary {
            op: BinaryOp::ColonEqual | BinaryOp::ChainPipe | BinaryOp::Range,
            ..
        } => false,
        AstNode::Binary {
            op: BinaryOp::Concatenate,
            lhs,
            rhs,
        } => growth == Growth::OfOneStep && small(lhs) && small(rhs),
        AstNode::Binary { lhs, rhs, .. } => small(lhs) && small(rhs),
        AstNode::Unary { operand, .. } => small(operand),
        AstNode::Conditional {
            then_branch,
            else_branch,
            ..
        } => small(then_branch) && else_branch.as_deref().is_none_or(small),
        AstNode::Function {
            name,
            args,
            is_builtin: true,
        } => {
            let bounded = GIVES_SCALAR.contains(&name.as_str())
                || (name == "string" && growth == Growth::OfOneStep);
            bounded && args.iter().all(small)
        }
        _ => is_literal(node),
    }
}

#[rustfmt::skip]
const GIVES_SCALAR: &[&str] = &[
    "abs", "boolean", "ceil", "contains", "count", "exists", "floor", "length", "lowercase",
    "max", "millis", "min", "not", "now", "number", "round", "substring", "sum", "trim", "type",
    "uppercase", "uuid", "random", "average", "hash", "fromMillis", "toMillis", "substringBefore",
    "substringAfter",
];

/// Whether a function of the language walks its arguments to the bottom, or builds more than they
/// are; what is no function of the language is one of the expression's own, which may do anything.
pub fn needs_small_arguments(function: &str) -> bool {
    !MEASURED.contains(&function)
}

#[rustfmt::skip]
const MEASURED: &[&str] = &[
    "abs", "append", "average", "base64decode", "base64encode", "boolean", "ceil", "clone",
    "contains", "count", "decodeUrl", "decodeUrlComponent", "each", "encodeUrl",
    "encodeUrlComponent", "error", "assert", "exists", "filter", "floor", "formatBase",
    "formatNumber", "fromMillis", "keys", "length", "lookup", "lowercase", "map", "max", "merge",
    "millis", "min", "not", "now", "number", "parseInteger", "power", "reduce", "reverse",
    "round", "shuffle", "sift", "single", "sort", "spread", "sqrt", "substring", "substringAfter",
    "substringBefore", "sum", "toMillis", "trim", "type", "uppercase", "zip", "random", "uuid",
    "range", "hash", "parse", "partition", "eval",
];

pub fn is_literal(node: &AstNode) -> bool {
    matches!(
        node,
        AstNode::String(_)
            | AstNode::Number(_)
            | AstNode::Boolean(_)
            | AstNode::Null
            | AstNode::Regex { .. }
            | AstNode::Lambda { .. }
            | AstNode::Placeholder
    )
}
