//! The nodes of an expression, one below the other.

use jsonata_core::ast::{AstNode, Stage};

/// Act on each node directly below `node`.
pub fn for_each_child(node: &mut AstNode, act: &mut dyn FnMut(&mut AstNode)) {
    match node {
        AstNode::Path { steps } => {
            for step in steps {
                act(&mut step.node);
                for stage in &mut step.stages {
                    if let Stage::Filter(predicate) = stage {
                        act(predicate);
                    }
                }
            }
        }
        AstNode::Binary { lhs, rhs, .. } => {
            act(lhs);
            act(rhs);
        }
        AstNode::Unary { operand, .. } => act(operand),
        AstNode::Function { args, .. } => args.iter_mut().for_each(act),
        AstNode::Call { procedure, args } => {
            act(procedure);
            args.iter_mut().for_each(act);
        }
        AstNode::Lambda { body, .. } => act(body),
        AstNode::Array(nodes) | AstNode::ArrayGroup(nodes) | AstNode::Block(nodes) => {
            nodes.iter_mut().for_each(act)
        }
        AstNode::Object(pairs) => pairs.iter_mut().for_each(|(key, value)| {
            act(key);
            act(value);
        }),
        AstNode::ObjectTransform { input, pattern } => {
            act(input);
            pattern.iter_mut().for_each(|(key, value)| {
                act(key);
                act(value);
            });
        }
        AstNode::Conditional {
            condition,
            then_branch,
            else_branch,
        } => {
            act(condition);
            act(then_branch);
            if let Some(branch) = else_branch {
                act(branch);
            }
        }
        AstNode::FunctionApplication(inner) => act(inner),
        AstNode::Sort { input, terms } => {
            act(input);
            terms.iter_mut().for_each(|(term, _)| act(term));
        }
        AstNode::Transform {
            location,
            update,
            delete,
        } => {
            act(location);
            act(update);
            if let Some(delete) = delete {
                act(delete);
            }
        }
        _ => {}
    }
}
