//! What the built-in functions do with arguments that no signature has checked: a partial application does not
//! check them. JavaScript converts some of them, and fails for others.

use super::super::error::{Answer, Fault};
use super::super::json;
use super::super::text::Text;
use super::super::value::Value;
use super::argument;

/// How a function uses a parameter.
#[derive(Clone, Copy)]
enum Use {
    /// It calculates with it.
    Number,
    /// It writes it into a text.
    Text,
    /// It calls this method of a text: the parameter's name, and the method's.
    OfText(&'static str, &'static str),
    /// It calls this method of an array.
    OfArray(&'static str, &'static str),
    /// It searches it, which arrays offer too.
    Searched,
    /// It goes through its items or letters.
    Iterated,
    /// It asks for its length.
    Measured,
    /// It searches with it: a text, or a regular expression.
    Pattern,
    /// It calls it.
    Called,
}

/// The parameters in the order in which a function uses them.
const USES: [(&str, usize, Use); 55] = [
    ("lowercase", 0, Use::OfText("str", "toLowerCase")),
    ("uppercase", 0, Use::OfText("str", "toUpperCase")),
    ("trim", 0, Use::OfText("str", "replace")),
    ("length", 0, Use::Iterated),
    ("substring", 0, Use::Iterated),
    ("substring", 1, Use::Number),
    ("substring", 2, Use::Number),
    ("substringBefore", 0, Use::Searched),
    ("substringAfter", 0, Use::Searched),
    ("pad", 0, Use::Iterated),
    ("pad", 1, Use::Number),
    ("pad", 2, Use::Text),
    ("contains", 1, Use::Pattern),
    ("contains", 0, Use::Searched),
    ("match", 1, Use::Pattern),
    ("match", 0, Use::Text),
    ("match", 2, Use::Number),
    ("split", 1, Use::Pattern),
    ("split", 0, Use::OfText("str", "split")),
    ("split", 2, Use::Number),
    ("replace", 1, Use::Pattern),
    ("replace", 0, Use::Searched),
    ("replace", 2, Use::Text),
    ("replace", 3, Use::Number),
    ("join", 0, Use::OfArray("strs", "join")),
    ("join", 1, Use::Text),
    ("sum", 0, Use::OfArray("args", "forEach")),
    ("average", 0, Use::Measured),
    ("average", 0, Use::OfArray("args", "forEach")),
    ("max", 0, Use::Measured),
    ("min", 0, Use::Measured),
    ("count", 0, Use::Measured),
    ("reverse", 0, Use::Measured),
    ("sort", 0, Use::Measured),
    ("map", 0, Use::Measured),
    ("filter", 0, Use::Measured),
    ("single", 0, Use::Measured),
    ("reduce", 1, Use::Called),
    ("reduce", 0, Use::Measured),
    ("merge", 0, Use::OfArray("arg", "forEach")),
    ("floor", 0, Use::Number),
    ("ceil", 0, Use::Number),
    ("abs", 0, Use::Number),
    ("sqrt", 0, Use::Number),
    ("round", 0, Use::Number),
    ("round", 1, Use::Number),
    ("formatBase", 0, Use::Number),
    ("formatBase", 1, Use::Number),
    ("formatInteger", 1, Use::OfText("picture", "lastIndexOf")),
    ("formatInteger", 0, Use::Number),
    ("parseInteger", 1, Use::OfText("picture", "lastIndexOf")),
    ("parseInteger", 0, Use::Text),
    ("formatNumber", 1, Use::OfText("picture", "split")),
    ("fromMillis", 0, Use::Number),
    ("error", 0, Use::Text),
];

/// Makes of `arguments` what the function `name` sees. Gives its result where that is known already.
pub fn prepare(name: &str, arguments: &mut [Value]) -> Answer<Option<Value>> {
    if argument(arguments, 0).is_undefined() {
        return Ok(None);
    }
    if name.starts_with("encodeUrl") || name.starts_with("decodeUrl") {
        convert(arguments, 0, as_text);
    }
    for &(_, at, used) in USES.iter().filter(|(known, ..)| *known == name) {
        match used {
            Use::Number => convert(arguments, at, |value| {
                Some(Value::Number(to_number(value)?))
            }),
            Use::Text => convert(arguments, at, as_text),
            _ => refuse(used, argument(arguments, at))?,
        }
    }
    if let ("map" | "filter" | "single" | "reduce" | "reverse", Value::Text(text)) =
        (name, argument(arguments, 0))
        && (name != "reverse" || text.utf16_len() > 1)
    {
        arguments[0] = letters(text);
    }
    if let ("join", Value::Array(items)) = (name, argument(arguments, 0)) {
        let texts = items
            .iter()
            .map(|item| as_item(item).unwrap_or_else(|| item.clone()));
        arguments[0] = Value::array(texts.collect());
    }
    known_result(name, arguments)
}

fn refuse(used: Use, value: &Value) -> Answer<()> {
    let fault = match (used, value) {
        (Use::OfText(..), Value::Text(_)) | (Use::OfArray(..), Value::Array(_)) => return Ok(()),
        (Use::OfText(_, method) | Use::OfArray(_, method), Value::Undefined | Value::Null) => {
            no_property(value, method)
        }
        (Use::OfText(name, method) | Use::OfArray(name, method), _) => no_method(name, method),
        (Use::Searched, Value::Text(_) | Value::Array(_)) => return Ok(()),
        (Use::Searched, Value::Null) => no_property(value, "indexOf"),
        (Use::Searched, _) => no_method("str", "indexOf"),
        (Use::Iterated, Value::Text(_) | Value::Array(_)) => return Ok(()),
        (Use::Iterated, _) => "str is not iterable".to_owned(),
        (Use::Called, Value::Undefined | Value::Null) => no_property(value, "arity"),
        (Use::Measured, Value::Null) => no_property(value, "length"),
        (Use::Pattern, Value::Undefined | Value::Null) => no_property(value, "apply"),
        (Use::Pattern, Value::Text(_) | Value::Function(_)) => return Ok(()),
        (Use::Pattern, _) => no_method("matcher", "apply"),
        _ => return Ok(()),
    };
    Err(Fault::uncoded(fault))
}

/// What a function gives where it takes an argument for something else.
fn known_result(name: &str, arguments: &[Value]) -> Answer<Option<Value>> {
    let first = argument(arguments, 0);
    let is_array = matches!(first, Value::Array(_));
    Ok(match (name, first) {
        ("length", Value::Array(items)) => Some(Value::Number(items.len() as f64)),
        ("substringBefore" | "substringAfter", Value::Array(items)) => {
            let part = argument(arguments, 1);
            match items.iter().any(|item| item.is_same(part)) {
                true => return Err(Fault::uncoded(no_method("str", "substr"))),
                false => Some(first.clone()),
            }
        }
        ("contains", Value::Array(items)) => {
            let part = argument(arguments, 1);
            Some(Value::Bool(items.iter().any(|item| item.is_same(part))))
        }
        ("replace", Value::Array(_)) => {
            return Err(Fault::uncoded(no_method("str", "substring")));
        }
        ("count", Value::Text(text)) => Some(Value::Number(text.utf16_len() as f64)),
        ("count", _) if !is_array => Some(Value::Undefined),
        ("max", Value::Object(_)) => Some(Value::Number(f64::NEG_INFINITY)),
        ("min", Value::Object(_)) => Some(Value::Number(f64::INFINITY)),
        ("max" | "min", Value::Text(text)) if text.is_empty() => Some(Value::Undefined),
        ("max" | "min", _) if !is_array => {
            let text = "CreateListFromArrayLike called on non-object";
            return Err(Fault::uncoded(text));
        }
        ("substring", Value::Array(items)) => Some(sliced(items, arguments)),
        ("reverse", Value::Text(_)) => Some(first.clone()),
        ("sort", Value::Text(text))
            if text.utf16_len() <= 1 || !argument(arguments, 1).is_undefined() =>
        {
            Some(first.clone())
        }
        ("sort", Value::Array(items))
            if items.len() > 1
                && !matches!(
                    argument(arguments, 1),
                    Value::Undefined | Value::Function(_)
                ) =>
        {
            return Err(Fault::uncoded("comp is not a function"));
        }
        (_, Value::Bool(_) | Value::Number(_) | Value::Long(_) | Value::Object(_)) => {
            return of_no_array(name, arguments);
        }
        _ => None,
    })
}

/// What a function of arrays gives for what has no length.
fn of_no_array(name: &str, arguments: &[Value]) -> Answer<Option<Value>> {
    Ok(match name {
        "reverse" => Some(Value::array(vec![Value::Null])),
        "reduce" => Some(argument(arguments, 2).clone()),
        "single" => return Err(Fault::new("D3139")),
        "sort" if argument(arguments, 1).is_undefined() => return Err(Fault::new("D3070")),
        "sort" => Some(argument(arguments, 0).clone()),
        _ => None,
    })
}

/// What JavaScript goes through of a text by its indexes: its code units.
fn letters(text: &Text) -> Value {
    let units = text.to_utf16();
    let letters = units
        .chunks(1)
        .map(|unit| Value::Text(Text::from_utf16(unit)));
    Value::array(letters.collect())
}

/// `substring` of an array: the texts of some of its items.
fn sliced(items: &[Value], arguments: &[Value]) -> Value {
    let count = items.len() as f64;
    let mut start = argument(arguments, 1).as_number().unwrap_or(0.0);
    if count + start < 0.0 {
        start = 0.0;
    }
    let from = if start < 0.0 { count + start } else { start };
    let length = argument(arguments, 2).as_number().unwrap_or(count);
    // A length that is no number ends before it begins.
    let chosen = items
        .iter()
        .skip(from as usize)
        .take(length.floor().max(0.0) as usize);
    Value::text(chosen.map(written_item).collect::<String>())
}

fn convert(arguments: &mut [Value], at: usize, to: impl Fn(&Value) -> Option<Value>) {
    if let Some(converted) = arguments.get(at).and_then(to) {
        arguments[at] = converted;
    }
}

/// The number that JavaScript calculates with; None where there is nothing to convert.
pub fn to_number(value: &Value) -> Option<f64> {
    Some(match value {
        Value::Undefined | Value::Number(_) | Value::Long(_) => return None,
        Value::Null => 0.0,
        Value::Bool(flag) => f64::from(u8::from(*flag)),
        Value::Text(text) => number_of(&text.to_lossy()),
        Value::Array(_) => number_of(&as_text(value)?.as_text()?.to_lossy()),
        _ => f64::NAN,
    })
}

fn number_of(text: &str) -> f64 {
    match text.trim() {
        "" => 0.0,
        text => super::numbers::of_text(text).unwrap_or(f64::NAN),
    }
}

/// The text that JavaScript writes; None where it is one, or nothing. The source of a function is not known here.
fn as_text(value: &Value) -> Option<Value> {
    Some(match value {
        Value::Undefined | Value::Text(_) | Value::Function(_) => return None,
        Value::Object(_) => Value::text("[object Object]"),
        Value::Array(items) => {
            let written: Vec<String> = items.iter().map(written_item).collect();
            Value::text(written.join(","))
        }
        value => Value::text(json::display(value)),
    })
}

/// The text of an item of an array that JavaScript joins.
fn as_item(value: &Value) -> Option<Value> {
    match value {
        Value::Null | Value::Undefined => Some(Value::Text(Text::EMPTY)),
        value => as_text(value),
    }
}

fn written_item(item: &Value) -> String {
    let text = as_item(item).unwrap_or_else(|| item.clone());
    text.as_text().map_or_else(String::new, Text::to_lossy)
}

fn no_method(name: &str, method: &str) -> String {
    format!("{name}.{method} is not a function")
}

fn no_property(value: &Value, name: &str) -> String {
    let value = if value.is_undefined() {
        "undefined"
    } else {
        "null"
    };
    format!("Cannot read properties of {value} (reading '{name}')")
}
