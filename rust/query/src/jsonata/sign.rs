//! The tokens as the parser sees them: how tightly they bind, and their texts in messages.

use super::error::Fault;
use super::json;
use super::raw::{Raw, RawKind};
use super::value::Value;

/// A token: the end, an operator, or an operand that is a tree already.
#[derive(Debug)]
pub enum Sign {
    End,
    Operator(&'static str),
    Operand(Raw),
}

impl Sign {
    pub fn id(&self) -> &str {
        match self {
            Sign::End => "(end)",
            Sign::Operator(sign) => sign,
            Sign::Operand(_) => "",
        }
    }

    pub fn is(&self, id: &str) -> bool {
        self.id() == id
    }

    pub fn binding_power(&self) -> u8 {
        match self {
            Sign::Operator(sign) => power(sign),
            _ => 0,
        }
    }

    /// The error that names the token.
    pub fn fault(&self, code: &'static str) -> Box<Fault> {
        let fault = Fault::new(code);
        match self {
            Sign::End => fault.token("(end)"),
            Sign::Operator(sign) => fault.token(sign),
            Sign::Operand(raw) => fault.token_json(token_value(raw)),
        }
    }
}

fn token_value(raw: &Raw) -> Value {
    match &raw.kind {
        RawKind::Name(text) | RawKind::Variable(text) | RawKind::Text(text) => {
            Value::Text(text.clone())
        }
        RawKind::Number(number) => Value::Number(*number),
        RawKind::Bool(flag) => Value::Bool(*flag),
        RawKind::Regex(_) => Value::object(Default::default()),
        _ => Value::Null,
    }
}

/// How tightly an infix operator binds; 0 of what is none.
pub fn power(sign: &str) -> u8 {
    match sign {
        "." => 75,
        "[" | "(" | "@" | "#" => 80,
        "{" => 70,
        "?" => 20,
        "+" | "-" | "&" => 50,
        "*" | "/" | "%" => 60,
        "=" | "<" | ">" | "^" | "!=" | "<=" | ">=" | "~>" | "in" => 40,
        ":=" => 10,
        "and" => 30,
        "or" => 25,
        _ => 0,
    }
}

/// The text of an operand within a signature.
pub fn operand_text(raw: &Raw) -> String {
    match token_value(raw) {
        Value::Text(text) => text.to_lossy(),
        value => json::plain(&value),
    }
}
