//! What an expression compared when it failed: AWS tells the values and the operator, the evaluator neither.
//!
//! The expression is evaluated once more with its operands noted; the last ones noted are the culprits.

use std::cell::RefCell;
use std::rc::Rc;

use jsonata_core::ast::{AstNode, BinaryOp, UnaryOp};
use jsonata_core::evaluator::{Evaluator, EvaluatorError};
use jsonata_core::value::JValue;

use super::walk::for_each_child;

const NOTE_LEFT: &str = "note left";
const NOTE_RIGHT: &str = "note right";

/// The operands of the operator evaluated last. A negation has a left one only.
#[derive(Debug, Clone)]
pub struct Operands {
    pub operator: String,
    pub left: JValue,
    pub right: JValue,
}

/// Whether the text of an error with this code names operands.
pub fn names_operands(code: &str) -> bool {
    matches!(code, "T2009" | "T2010" | "D1002")
}

/// `ast` with the operands of its comparisons and negations noted.
pub fn with_notes(ast: &AstNode) -> AstNode {
    let mut ast = ast.clone();
    write_notes(&mut ast);
    ast
}

/// Make the notes callable; returns where the last operands will be.
pub fn register(evaluator: &mut Evaluator) -> Result<Rc<RefCell<Operands>>, EvaluatorError> {
    let open: Rc<RefCell<Vec<JValue>>> = Rc::default();
    let none = Operands {
        operator: String::new(),
        left: JValue::Undefined,
        right: JValue::Undefined,
    };
    let last = Rc::new(RefCell::new(none));
    let (opening, noting) = (Rc::clone(&open), Rc::clone(&last));
    evaluator.register_fn(NOTE_LEFT, move |arguments: &[JValue]| {
        let value = argument(arguments, 0);
        noting.borrow_mut().left = value.clone();
        opening.borrow_mut().push(value.clone());
        Ok(value)
    })?;
    let noting = Rc::clone(&last);
    evaluator.register_fn(NOTE_RIGHT, move |arguments: &[JValue]| {
        let right = argument(arguments, 0);
        *noting.borrow_mut() = Operands {
            operator: argument(arguments, 1)
                .as_str()
                .unwrap_or_default()
                .to_owned(),
            left: open.borrow_mut().pop().unwrap_or(JValue::Undefined),
            right: right.clone(),
        };
        Ok(right)
    })?;
    Ok(last)
}

fn argument(arguments: &[JValue], at: usize) -> JValue {
    arguments.get(at).cloned().unwrap_or(JValue::Undefined)
}

fn write_notes(node: &mut AstNode) {
    for_each_child(node, &mut write_notes);
    match node {
        AstNode::Binary { op, lhs, rhs } => {
            if let Some(operator) = sign(*op) {
                note(lhs, NOTE_LEFT, None);
                note(rhs, NOTE_RIGHT, Some(operator));
            }
        }
        AstNode::Unary {
            op: UnaryOp::Negate,
            operand,
        } => note(operand, NOTE_LEFT, None),
        _ => {}
    }
}

fn note(node: &mut AstNode, function: &str, operator: Option<&str>) {
    let mut args = vec![std::mem::replace(node, AstNode::Null)];
    args.extend(operator.map(AstNode::string));
    *node = AstNode::Function {
        name: function.to_owned(),
        args,
        is_builtin: true,
    };
}

fn sign(operator: BinaryOp) -> Option<&'static str> {
    match operator {
        BinaryOp::LessThan => Some("<"),
        BinaryOp::LessThanOrEqual => Some("<="),
        BinaryOp::GreaterThan => Some(">"),
        BinaryOp::GreaterThanOrEqual => Some(">="),
        _ => None,
    }
}
