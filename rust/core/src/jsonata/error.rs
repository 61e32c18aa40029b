//! What goes wrong in an expression, in AWS's words.

use jsonata_core::evaluator::{EvaluatorError, error_code_prefix};
use jsonata_core::parser::ParserError;
use jsonata_core::value::JValue;

use super::signatures::Call;
use super::texts;
use super::trace::Operands;

/// The value is larger than AWS holds (ASL A4.20).
pub const MEMORY_LIMIT: &str =
    "Expression evaluation memory limit exceeded: Check for excessive memory usage";
/// The evaluation nests deeper than AWS goes (ASL A4.20).
pub const STACK_OVERFLOW: &str = "Stack overflow error: Check for non-terminating recursive function. \
     Consider rewriting as tail-recursive";
/// The evaluation takes too long.
pub const TIMEOUT: &str = "Expression evaluation timeout: Check for infinite loop";

/// An expression that does not parse. `message` is AWS's: the parser's, without its code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SyntaxError {
    pub code: Option<String>,
    pub message: String,
}

/// An evaluation that failed. A bound that was passed has no code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    pub code: Option<String>,
    pub message: String,
}

const INTERNAL: &str = "Internal error of the expression language";

impl SyntaxError {
    /// The parser's error about `expression`, in AWS's words.
    pub(super) fn in_aws_words(error: &ParserError, expression: &str) -> Self {
        let (code, message) = texts::syntax(&error.to_string(), expression);
        SyntaxError { code, message }
    }

    pub(super) fn internal() -> Self {
        SyntaxError {
            code: None,
            message: INTERNAL.to_owned(),
        }
    }
}

impl EvaluationError {
    pub(super) fn internal() -> Self {
        Self::uncoded(INTERNAL)
    }

    pub(super) fn stack_overflow() -> Self {
        Self::uncoded(STACK_OVERFLOW)
    }

    pub(super) fn memory_limit() -> Self {
        Self::uncoded(MEMORY_LIMIT)
    }

    /// Whether the time was up, rather than the expression wrong.
    pub fn is_timeout(&self) -> bool {
        self.code.is_none() && self.message == TIMEOUT
    }

    fn uncoded(message: &str) -> Self {
        EvaluationError {
            code: None,
            message: message.to_owned(),
        }
    }
}

impl EvaluationError {
    /// The error with this code, which is about these operands, in AWS's words.
    pub(super) fn about(code: &str, operands: &Operands) -> Self {
        let json = |value: &JValue| value.to_json_string().unwrap_or_default();
        let (left, right) = (json(&operands.left), json(&operands.right));
        let operator = &operands.operator;
        let message = match code {
            "T2009" => format!(
                "The values {left} and {right} either side of operator \"{operator}\" must be of the same data type"
            ),
            "T2010" => format!(
                "The expressions either side of operator \"{operator}\" must evaluate to numeric or string values"
            ),
            _ => format!("Cannot negate a non-numeric value: {left}"),
        };
        EvaluationError {
            code: Some(code.to_owned()),
            message,
        }
    }

    /// The evaluator's error with its own code and text.
    pub(super) fn plain(error: &EvaluatorError) -> Self {
        let (code, message) = split_code(error.message());
        EvaluationError {
            code: code.map(str::to_owned),
            message: message.to_owned(),
        }
    }

    /// The evaluator's error in AWS's words, for an expression that makes these calls.
    pub(super) fn in_aws_words(error: &EvaluatorError, calls: &[Call]) -> Self {
        let (code, message) = split_code(error.message());
        match code {
            Some("D1011" | "U1001") => Self::uncoded(STACK_OVERFLOW),
            Some("D1012") => Self::uncoded(TIMEOUT),
            Some("D2014" | "D2015" | "U1003") => Self::memory_limit(),
            Some(code) => EvaluationError {
                code: Some(code.to_owned()),
                message: texts::evaluation(code, message, calls),
            },
            None => Self::uncoded(message),
        }
    }
}

/// The code that stands before a message; at times behind the name of a kind of error.
fn split_code(text: &str) -> (Option<&str>, &str) {
    let text = [
        "Signature validation failed: ",
        "Reference error: ",
        "Argument error: ",
    ]
    .iter()
    .find_map(|kind| text.strip_prefix(kind))
    .unwrap_or(text);
    match error_code_prefix(text) {
        Some(code) => (Some(code), text[code.len() + 1..].trim_start()),
        None => (None, text),
    }
}
