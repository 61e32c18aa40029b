//! Tail calls.

use std::sync::Arc;

use super::super::ast::{Kind, Node};

/// Calls in tail position are made after the function has ended, so that they take no depth.
pub fn tail_calls(mut node: Node) -> Node {
    if matches!(node.kind, Kind::Call { .. }) && node.predicate().is_none() {
        return Node::new(Kind::Thunk(Arc::new(node)));
    }
    match &mut node.kind {
        Kind::Condition {
            then, otherwise, ..
        } => {
            optimise(then);
            if let Some(otherwise) = otherwise {
                optimise(otherwise);
            }
        }
        Kind::Block(expressions) => {
            if let Some(last) = expressions.last_mut() {
                optimise(last);
            }
        }
        _ => {}
    }
    node
}

fn optimise(node: &mut Node) {
    let inner = std::mem::replace(node, Node::new(Kind::Null));
    *node = tail_calls(inner);
}
