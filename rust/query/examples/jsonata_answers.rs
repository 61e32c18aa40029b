//! Answers questions of JSONata, a JSON line each, in the form of the oracle's answers:
//! `cargo run -p stepwell-query --example jsonata_answers < questions.jsonl`.

use std::io::{BufRead, Write};
use std::time::Duration;

use stepwell_query::jsonata::{Expression, Fields, Limits, Value, parse_json, to_json};

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let answer = answer(&parse_json(&line?.as_str().into()).unwrap_or_default());
        writeln!(out, "{}", to_json(&answer))?;
        out.flush()?;
    }
    Ok(())
}

fn field(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(object) => object.get(name.as_bytes()),
        _ => Value::Undefined,
    }
}

fn answer(question: &Value) -> Value {
    let Value::Text(text) = field(question, "expr") else {
        return Value::Null;
    };
    let expression = match Expression::compile_text(&text) {
        Ok(expression) => expression,
        Err(error) => return failure(error.code, "parse", &error.message),
    };
    let given = match field(question, "bindings") {
        Value::Object(bindings) => bindings.entries(),
        _ => Vec::new(),
    };
    let names: Vec<String> = given.iter().map(|(name, _)| name.to_lossy()).collect();
    let bindings = names
        .iter()
        .zip(&given)
        .map(|(name, (_, value))| (name.as_str(), value.clone()))
        .collect();
    let limits = Limits {
        depth: 200,
        time: Duration::from_secs(5),
        ..Limits::LANGUAGE
    };
    match expression.evaluate_over(
        &field(question, "data"),
        bindings,
        &limits,
        Expression::held(),
    ) {
        Ok(value) => result(&value),
        Err(error) => failure(error.code, "evaluate", &error.message),
    }
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    let mut object = Fields::default();
    fields
        .into_iter()
        .for_each(|(name, value)| object.set(name.into(), value));
    Value::object(object)
}

fn failure(code: Option<String>, stage: &str, message: &str) -> Value {
    let code = code.map_or(Value::Null, Value::text);
    object([
        ("error", code),
        ("stage", Value::text(stage)),
        ("message", Value::text(message)),
    ])
}

fn result(value: &Value) -> Value {
    match (value, json(value)) {
        (Value::Undefined, _) => object([("nothing", Value::Bool(true))]),
        (_, Some(value)) => object([("value", value)]),
        (_, None) => object([("function", Value::Bool(true))]),
    }
}

/// As the oracle writes it: numbers that are not finite as texts; None where a function is in it.
fn json(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Function(_) => return None,
        Value::Undefined => Value::Null,
        Value::Number(number) if number.is_nan() => Value::text("NaN"),
        Value::Number(number) if number.is_infinite() && *number > 0.0 => Value::text("Infinity"),
        Value::Number(number) if number.is_infinite() => Value::text("-Infinity"),
        Value::Array(items) => Value::array(items.iter().map(json).collect::<Option<_>>()?),
        Value::Object(object) => {
            let mut fields = Fields::default();
            for (name, value) in object.entries() {
                if !value.is_undefined() {
                    fields.set(name, json(&value)?);
                }
            }
            Value::object(fields)
        }
        value => value.clone(),
    })
}
