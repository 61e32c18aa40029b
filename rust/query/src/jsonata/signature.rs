//! Signatures of functions: `<s-nn?:s>`. Each argument is a letter, and the signature is a
//! regular expression over these letters.

use super::error::{Answer, Fault};
use super::value::{Array, Value};

/// Letters of types, as a set of bits.
type Letters = u128;

#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, Default, PartialEq)]
struct Parameter {
    letters: Letters,
    kind: Option<char>,
    subtype: Option<String>,
    takes_context: bool,
    times: Times,
}

#[derive(Debug, Clone, Copy, Default, PartialEq)]
enum Times {
    #[default]
    Once,
    Optional,
    OptionalLazy,
    Many,
    ManyLazy,
}

fn set(letters: &str) -> Letters {
    letters
        .bytes()
        .filter(u8::is_ascii)
        .fold(0, |set, letter| set | 1 << letter)
}

/// The signature that `text` is, from its `<` on.
pub fn parse(text: &str) -> Answer<Signature> {
    let letters: Vec<char> = text.chars().collect();
    let mut parameters: Vec<Parameter> = Vec::new();
    let mut at = 1;
    while let Some(&letter) = letters.get(at).filter(|&&letter| letter != ':') {
        match letter {
            's' | 'n' | 'b' | 'l' | 'o' => {
                parameters.push(parameter(&format!("{letter}m"), letter))
            }
            'a' | 'x' => parameters.push(parameter("asnblfom", letter)),
            'f' => parameters.push(parameter("f", letter)),
            'j' => parameters.push(parameter("asnblom", letter)),
            '-' => {
                if let Some(last) = parameters.last_mut() {
                    last.takes_context = true;
                    last.times = more(last.times, '?')?;
                }
            }
            '?' | '+' => {
                if let Some(last) = parameters.last_mut() {
                    last.times = more(last.times, letter)?;
                }
            }
            '(' => {
                let end = closing(&letters, at, '(', ')');
                let choice: String = letters[at + 1..end].iter().collect();
                if choice.contains('<') {
                    return Err(Fault::new("S0402").value_text(&choice));
                }
                parameters.push(parameter(&format!("{choice}m"), '('));
                at = end;
            }
            '<' => {
                let last = parameters
                    .last_mut()
                    .filter(|last| matches!(last.kind, Some('a' | 'f')));
                let Some(last) = last else {
                    return Err(Fault::new("S0401"));
                };
                let end = closing(&letters, at, '<', '>');
                last.subtype = Some(letters[at + 1..end].iter().collect());
                at = end;
            }
            _ => {}
        }
        at += 1;
    }
    Ok(Signature { parameters })
}

fn parameter(letters: &str, kind: char) -> Parameter {
    Parameter {
        letters: set(letters),
        kind: Some(kind),
        ..Parameter::default()
    }
}

fn more(times: Times, sign: char) -> Answer<Times> {
    match (times, sign) {
        (Times::Once, '?') => Ok(Times::Optional),
        (Times::Once, _) => Ok(Times::Many),
        (Times::Optional, '?') => Ok(Times::OptionalLazy),
        (Times::Many, '?') => Ok(Times::ManyLazy),
        _ => Err(Fault::uncoded(
            "Invalid regular expression: Nothing to repeat",
        )),
    }
}

fn closing(letters: &[char], start: usize, open: char, close: char) -> usize {
    let mut depth = 1;
    let mut at = start;
    while at < letters.len() {
        at += 1;
        match letters.get(at) {
            Some(&letter) if letter == close => {
                depth -= 1;
                if depth == 0 {
                    break;
                }
            }
            Some(&letter) if letter == open => depth += 1,
            _ => {}
        }
    }
    at.min(letters.len())
}

/// The letter of a value's type.
pub fn letter(value: &Value) -> u8 {
    match value {
        Value::Undefined => b'm',
        Value::Null => b'l',
        Value::Bool(_) => b'b',
        Value::Number(_) | Value::Long(_) => b'n',
        Value::Text(_) => b's',
        Value::Array(_) => b'a',
        Value::Object(_) => b'o',
        Value::Function(_) => b'f',
    }
}

impl Parameter {
    fn takes(&self, letter: u8) -> bool {
        self.letters & 1 << letter != 0
    }

    /// How many letters it may take of `rest`, in the order in which they are tried.
    fn counts(&self, rest: &[u8]) -> Vec<usize> {
        let most = rest
            .iter()
            .take_while(|&&letter| self.takes(letter))
            .count();
        match self.times {
            Times::Once => (1..=most.min(1)).collect(),
            Times::Optional => (0..=most.min(1)).rev().collect(),
            Times::OptionalLazy => (0..=most.min(1)).collect(),
            Times::Many => (1..=most).rev().collect(),
            Times::ManyLazy => (1..=most).collect(),
        }
    }
}

impl Signature {
    /// How many letters each of `parameters` takes; `whole`: no letter is left.
    fn matches(parameters: &[Parameter], letters: &[u8], whole: bool) -> Option<Vec<usize>> {
        let Some((first, rest)) = parameters.split_first() else {
            return (!whole || letters.is_empty()).then(Vec::new);
        };
        first.counts(letters).into_iter().find_map(|count| {
            let mut taken = Self::matches(rest, &letters[count..], whole)?;
            taken.insert(0, count);
            Some(taken)
        })
    }

    /// The common case: one letter for each parameter, and nothing to change.
    fn fits_plainly(&self, arguments: &[Value]) -> bool {
        arguments.len() == self.parameters.len()
            && self
                .parameters
                .iter()
                .zip(arguments)
                .all(|(parameter, argument)| {
                    parameter.kind != Some('a') && parameter.takes(letter(argument))
                })
    }

    /// The arguments as the function takes them: the context for a missing one, arrays for what should be one.
    pub fn validate(&self, arguments: Vec<Value>, context: &Value) -> Answer<Vec<Value>> {
        if self.fits_plainly(&arguments) {
            return Ok(arguments);
        }
        let letters: Vec<u8> = arguments.iter().map(letter).collect();
        let Some(taken) = Self::matches(&self.parameters, &letters, true) else {
            return Err(self.mismatch(&arguments, &letters));
        };
        let mut validated = Vec::with_capacity(arguments.len());
        let mut at = 0;
        for (parameter, count) in self.parameters.iter().zip(taken) {
            if count == 0 && parameter.takes_context {
                if !parameter.takes(letter(context)) {
                    return Err(Fault::new("T0411").value(context).index(at + 1));
                }
                validated.push(context.clone());
            } else if count == 0 {
                validated.push(arguments.get(at).cloned().unwrap_or_default());
                at += 1;
            }
            // Of several that are no arrays jsonata-js takes the first each time.
            let first = arguments.get(at).cloned().unwrap_or_default();
            for _ in 0..count {
                let argument = arguments.get(at).cloned().unwrap_or_default();
                at += 1;
                validated.push(match parameter.kind {
                    Some('a') => parameter.array(&argument, count, at)?,
                    _ => first.clone(),
                });
            }
        }
        Ok(validated)
    }

    fn mismatch(&self, arguments: &[Value], letters: &[u8]) -> Box<Fault> {
        let mut good_to = 0;
        for count in 1..=self.parameters.len() {
            match Self::matches(&self.parameters[..count], letters, false) {
                Some(taken) => good_to = taken.iter().sum(),
                None => break,
            }
        }
        let value = arguments.get(good_to).cloned().unwrap_or_default();
        Fault::new("T0410").value(&value).index(good_to + 1)
    }
}

impl Parameter {
    fn array(&self, argument: &Value, count: usize, index: usize) -> Answer<Value> {
        if argument.is_undefined() {
            return Ok(Value::Undefined);
        }
        let is_right = match (&self.subtype, argument) {
            (None, _) => true,
            (Some(subtype), Value::Array(items)) => is_array_of(items, subtype),
            (Some(subtype), _) => count == 1 && subtype.as_bytes() == [letter(argument)],
        };
        match (is_right, argument) {
            (false, _) => {
                let kind = self.subtype.as_deref().and_then(plural);
                Err(Fault::new("T0412")
                    .value(argument)
                    .index(index)
                    .message(kind.unwrap_or("undefined")))
            }
            (true, Value::Array(_)) => Ok(argument.clone()),
            (true, _) => Ok(Value::array(vec![argument.clone()])),
        }
    }
}

fn is_array_of(items: &Array, subtype: &str) -> bool {
    let wanted = subtype.bytes().next().unwrap_or(0);
    items.iter().all(|item| letter(item) == wanted)
}

fn plural(subtype: &str) -> Option<&'static str> {
    Some(match subtype {
        "a" => "\"arrays\"",
        "b" => "\"booleans\"",
        "f" => "\"functions\"",
        "n" => "\"numbers\"",
        "o" => "\"objects\"",
        "s" => "\"strings\"",
        _ => return None,
    })
}

impl Signature {
    /// The signature of a function without parameters.
    pub fn none() -> Signature {
        Signature {
            parameters: Vec::new(),
        }
    }
}
