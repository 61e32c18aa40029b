//! The evaluator's messages in the words of jsonata-js, which are AWS's.

use super::signatures::{self, Call};

/// The text of an error in evaluation with this code, for an expression that makes these calls.
pub fn evaluation(code: &str, message: &str, calls: &[Call]) -> String {
    if let Some((_, text)) = FIXED.iter().find(|(fixed, _)| *fixed == code) {
        return (*text).to_owned();
    }
    match code {
        "T0410" => wrong_argument(message, calls),
        "T0411" => {
            let kind = parenthesised(message, "(expected ");
            format!(
                "Context value is not a compatible type with argument 1 of function {}",
                quoted(
                    kind.and_then(|kind| signatures::with_parameter(calls, 1, kind))
                        .or(calls.first())
                )
            )
        }
        "T0412" => wrong_element(message, calls),
        "T1006" | "T1008" => before(message, ": ").to_owned(),
        "T2001" | "T2002" => quote_word_before(message, " operator must"),
        "D1001" => "Number out of range: null".to_owned(),
        "D3030" => match between(message, "'", "' to number") {
            Some(value) => format!("Unable to cast value to a number: {}", json(value)),
            None => message.to_owned(),
        },
        "D3100" => match message.strip_prefix("Radix must be between 2 and 36, got ") {
            Some(radix) => format!(
                "The radix of the formatBase function must be between 2 and 36.  It was given {radix}"
            ),
            None => message.to_owned(),
        },
        "D3130" => format!(
            "Formatting or parsing an integer as a sequence starting with {} is not supported by this implementation",
            json(message)
        ),
        "D3132" => format!(
            "Unknown component specifier {} in date/time picture string",
            json(message)
        ),
        "D3133" => format!(
            "The 'name' modifier can only be applied to months and days in the date/time picture string, not {}",
            json(message)
        ),
        _ => message.to_owned(),
    }
}

/// Code and text of `expression`, which does not parse.
pub fn syntax(message: &str, expression: &str) -> (Option<String>, String) {
    let message = ["Invalid syntax: ", "Invalid number: "]
        .iter()
        .find_map(|prefix| message.strip_prefix(prefix))
        .unwrap_or(message);
    if message == "Unclosed comment" {
        return (
            Some("S0106".to_owned()),
            "Comment has no closing tag".to_owned(),
        );
    }
    if message.starts_with("S0101") && ends_in_regex(expression) {
        return (
            Some("S0302".to_owned()),
            "No terminating / in regular expression".to_owned(),
        );
    }
    let Some(code) = jsonata_core::evaluator::error_code_prefix(message) else {
        return (None, message.to_owned());
    };
    let text = message[code.len() + 1..].trim_start();
    let text = match code {
        "S0102" | "S0204" => quote_last_word(text),
        "S0201" => match text.strip_prefix("Syntax error: ") {
            Some(found) => format!("Syntax error: {}", token(found)),
            None => text.to_owned(),
        },
        "S0202" => match between(text, "Expected ", ", got ") {
            Some(expected) => format!(
                "Expected {}, got {}",
                token(expected),
                token(after(text, ", got "))
            ),
            None => text.to_owned(),
        },
        "S0203" => match between(text, "Expected ", " before end") {
            Some(expected) => format!("Expected {} before end of expression", token(expected)),
            None => text.to_owned(),
        },
        "S0211" => match between(text, "The symbol ", " cannot be used") {
            Some(symbol) => format!(
                "The symbol {} cannot be used as a unary operator",
                token(symbol)
            ),
            None => text.to_owned(),
        },
        "S0214" => format!(
            "The right side of {} must be a variable name (start with $)",
            json(after(text, "after "))
        ),
        _ => text.to_owned(),
    };
    (Some(code.to_owned()), text)
}

/// Whether what has no end in `expression` is a regular expression, not a string.
fn ends_in_regex(expression: &str) -> bool {
    let mut rest = expression.chars();
    let mut after_operand = false;
    while let Some(letter) = rest.next() {
        match letter {
            '"' | '\'' | '/' if letter != '/' || !after_operand => {
                if !skip_to(&mut rest, letter) {
                    return letter == '/';
                }
                after_operand = true;
            }
            letter if letter.is_whitespace() => {}
            letter => after_operand = letter.is_alphanumeric() || ")]}`".contains(letter),
        }
    }
    false
}

/// Move past `end`, which a backslash before it hides; false if it never comes.
fn skip_to(rest: &mut impl Iterator<Item = char>, end: char) -> bool {
    while let Some(letter) = rest.next() {
        if letter == '\\' {
            rest.next();
        } else if letter == end {
            return true;
        }
    }
    false
}

fn wrong_argument(message: &str, calls: &[Call]) -> String {
    let text = |at: usize, call: Option<&Call>| {
        format!(
            "Argument {at} of function {} does not match function signature",
            quoted(call)
        )
    };
    if let Some(count) = message
        .strip_prefix("Argument count mismatch: ")
        .and_then(|rest| after(rest, "got ").parse().ok())
    {
        return match signatures::with_wrong_count(calls, count) {
            Some((call, at)) => text(at, Some(call)),
            None => text(count, signatures::of_own_function(calls)),
        };
    }
    let Some(at) = number_after(message, "Argument ") else {
        return message.to_owned();
    };
    if let Some(kind) = message.split_once(" must be ").map(|(_, kind)| kind) {
        return text(
            at,
            signatures::with_parameter(calls, at, kind).or(calls.first()),
        );
    }
    match between(message, " of function ", " does not") {
        Some("undefined") | None => text(at, signatures::of_own_function(calls)),
        Some(name) if message.contains(" of function does") || name.is_empty() => {
            text(at, signatures::of_own_function(calls))
        }
        Some(name) => {
            let name = name.trim_matches('"').trim_start_matches('$').to_owned();
            text(at, Some(&Call { name, arguments: 0 }))
        }
    }
}

fn wrong_element(message: &str, calls: &[Call]) -> String {
    let (Some(at), Some(kind)) = (
        number_after(message, "Argument "),
        message.split_once("an array of ").map(|(_, kind)| kind),
    ) else {
        return message.to_owned();
    };
    if kind.starts_with("undefined") {
        return message.to_owned();
    }
    let call = match message.contains(" of function must") {
        true => signatures::of_own_function(calls),
        false => {
            signatures::with_parameter(calls, at, &format!("array of {kind}")).or(calls.first())
        }
    };
    format!(
        "Argument {at} of function {} must be an array of \"{}s\"",
        quoted(call),
        kind.to_lowercase()
    )
}

/// As jsonata-js has it: a name as a JSON string, and where there is none, `undefined`.
fn quoted(call: Option<&Call>) -> String {
    call.map_or_else(|| "undefined".to_owned(), |call| json(&call.name))
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn before<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(before, _)| before)
}

fn after<'a>(text: &'a str, mark: &str) -> &'a str {
    text.split_once(mark).map_or(text, |(_, after)| after)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)? + start.len();
    let to = text.rfind(end)?;
    text.get(from..to)
}

fn parenthesised<'a>(text: &'a str, start: &str) -> Option<&'a str> {
    between(text, start, ")")
}

fn number_after(text: &str, start: &str) -> Option<usize> {
    text.strip_prefix(start)?.split(' ').next()?.parse().ok()
}

fn quote_word_before(text: &str, mark: &str) -> String {
    let Some(end) = text.find(mark) else {
        return text.to_owned();
    };
    let start = text[..end].rfind(' ').map_or(0, |at| at + 1);
    format!(
        "{}{}{}",
        &text[..start],
        json(&text[start..end]),
        &text[end..]
    )
}

fn quote_last_word(text: &str) -> String {
    match text.rsplit_once(": ") {
        Some((start, word)) => format!("{start}: {}", json(word)),
        None => text.to_owned(),
    }
}

/// A token as jsonata-js writes it, from the evaluator's name for it.
fn token(name: &str) -> String {
    if let Some((_, symbol)) = TOKENS.iter().find(|(token, _)| *token == name) {
        return json(symbol);
    }
    match between(name, "(", ")") {
        Some(value) if name.starts_with("Number") => value.trim_end_matches(".0").to_owned(),
        Some(value) if value.starts_with('"') => value.to_owned(),
        _ => json(name),
    }
}

#[rustfmt::skip]
const TOKENS: &[(&str, &str)] = &[
    ("Plus", "+"), ("Minus", "-"), ("Star", "*"), ("StarStar", "**"), ("Slash", "/"), ("Percent", "%"), ("Equal", "="),
    ("NotEqual", "!="), ("LessThan", "<"), ("LessThanOrEqual", "<="), ("GreaterThan", ">"),
    ("GreaterThanOrEqual", ">="), ("And", "and"), ("Or", "or"), ("In", "in"), ("Ampersand", "&"), ("Dot", "."),
    ("DotDot", ".."), ("Question", "?"), ("QuestionQuestion", "??"), ("QuestionColon", "?:"), ("Colon", ":"),
    ("ColonEqual", ":="), ("TildeArrow", "~>"), ("LeftParen", "("), ("RightParen", ")"), ("LeftBracket", "["),
    ("RightBracket", "]"), ("LeftBrace", "{"), ("RightBrace", "}"), ("Comma", ","), ("Semicolon", ";"), ("Caret", "^"),
    ("Pipe", "|"), ("Hash", "#"), ("At", "@"), ("Eof", "(end)"), ("True", "true"), ("False", "false"), ("Null", "null"),
];

/// Errors whose text does not depend on anything.
#[rustfmt::skip]
const FIXED: &[(&str, &str)] = &[
    ("T2003", "The left side of the range operator (..) must evaluate to an integer"),
    ("T2004", "The right side of the range operator (..) must evaluate to an integer"),
    ("D3001", "Attempting to invoke string function on Infinity or NaN"),
    ("D3010", "Second argument of replace function cannot be an empty string"),
    ("D3011", "Fourth argument of replace function must evaluate to a positive number"),
    ("D3012", "Attempted to replace a matched string with a non-string value"),
    ("D3020", "Third argument of split function must evaluate to a positive number"),
    ("D3040", "Third argument of match function must evaluate to a positive number"),
    ("D3080", "The picture string must only contain a maximum of two sub-pictures"),
    ("D3081", "The sub-picture must not contain more than one instance of the 'decimal-separator' character"),
    ("D3082", "The sub-picture must not contain more than one instance of the 'percent' character"),
    ("D3083", "The sub-picture must not contain more than one instance of the 'per-mille' character"),
    ("D3084", "The sub-picture must not contain both a 'percent' and a 'per-mille' character"),
    ("D3085", "The mantissa part of a sub-picture must contain at least one character that is either an 'optional digit character' or a member of the 'decimal digit family'"),
    ("D3086", "The sub-picture must not contain a passive character that is preceded by an active character and that is followed by another active character"),
    ("D3087", "The sub-picture must not contain a 'grouping-separator' character that appears adjacent to a 'decimal-separator' character"),
    ("D3088", "The sub-picture must not contain a 'grouping-separator' at the end of the integer part"),
    ("D3089", "The sub-picture must not contain two adjacent instances of the 'grouping-separator' character"),
    ("D3090", "The integer part of the sub-picture must not contain a member of the 'decimal digit family' that is followed by an instance of the 'optional digit character'"),
    ("D3091", "The fractional part of the sub-picture must not contain an instance of the 'optional digit character' that is followed by a member of the 'decimal digit family'"),
    ("D3092", "A sub-picture that contains a 'percent' or 'per-mille' character must not contain a character treated as an 'exponent-separator'"),
    ("D3093", "The exponent part of the sub-picture must comprise only of one or more characters that are members of the 'decimal digit family'"),
    ("D3131", "In a decimal digit pattern, all digits must be from the same decimal group"),
    ("D3134", "The timezone integer format specifier cannot have more than four digits"),
    ("D3135", "No matching closing bracket ']' in date/time picture string"),
    ("D3136", "The date/time picture string is missing specifiers required to parse the timestamp"),
    ("D3138", "The $single() function expected exactly 1 matching result.  Instead it matched more."),
    ("D3139", "The $single() function expected exactly 1 matching result.  Instead it matched 0."),
];

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use super::super::{Expression, Limits};

    fn error(text: &str) -> String {
        let expression =
            Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        let error = expression
            .evaluate(Vec::new(), &Limits::AWS, &Rc::default())
            .expect_err(text);
        match error.code {
            Some(code) => format!("{code}: {}", error.message),
            None => error.message,
        }
    }

    /// The texts are AWS's (measured, floci #2668, #2736).
    #[test]
    fn errors_are_in_the_words_of_aws() {
        for (text, expected) in [
            (
                "$sum(['a'])",
                r#"T0412: Argument 1 of function "sum" must be an array of "numbers""#,
            ),
            (
                "$split('a','b',-1)",
                "D3020: Third argument of split function must evaluate to a positive number",
            ),
            (
                "$each('x', function($v){$v})",
                r#"T0410: Argument 1 of function "each" does not match function signature"#,
            ),
            (
                "$reduce([1,2], function($a){$a})",
                "D3050: The second argument of reduce function must be a function with at least two arguments",
            ),
            (
                "$single([1,2], function($x){true})",
                "D3138: The $single() function expected exactly 1 matching result.  Instead it matched more.",
            ),
            (
                "1 < 'a'",
                r#"T2009: The values 1 and "a" either side of operator "<" must be of the same data type"#,
            ),
            (
                "1 + {}",
                r#"T2002: The right side of the "+" operator must evaluate to a number"#,
            ),
            (
                "$sqrt(-1)",
                "D3060: The sqrt function cannot be applied to a negative number: -1",
            ),
            (
                "$parse(null)",
                r#"T0410: Argument 1 of function "parse" does not match function signature"#,
            ),
            ("$eval('1+1')", "T1006: Attempted to invoke a non-function"),
            ("$nothing()", "T1006: Attempted to invoke a non-function"),
            ("$error('mine')", "D3137: mine"),
            (
                "$number('a')",
                r#"D3030: Unable to cast value to a number: "a""#,
            ),
            (
                "$substring('a', 1, 2, 3)",
                r#"T0410: Argument 4 of function "substring" does not match function signature"#,
            ),
            (
                "$uppercase(1)",
                r#"T0410: Argument 1 of function "uppercase" does not match function signature"#,
            ),
            (
                "$formatNumber(1, 'x')",
                "D3086: The sub-picture must not contain a passive character that is preceded by an active \
                 character and that is followed by another active character",
            ),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
    }

    /// The texts are AWS's INVALID_JSONATA_EXPRESSION (measured, floci #2745).
    #[test]
    fn syntax_errors_are_in_the_words_of_aws() {
        for (text, expected) in [
            ("a[1,2)", r#"Expected "]", got ",""#),
            (
                "\"unterminated",
                "String literal must be terminated by a matching quote",
            ),
            ("1 +", "Unexpected end of expression"),
            (
                "{\"a\":}",
                r#"The symbol "}" cannot be used as a unary operator"#,
            ),
            ("$x :=", "Unexpected end of expression"),
            (
                "$match(\"a\", /abc",
                "No terminating / in regular expression",
            ),
            (
                "phone %.other",
                r#"The symbol "." cannot be used as a unary operator"#,
            ),
            ("", "Unexpected end of expression"),
        ] {
            assert_eq!(
                Expression::compile(text).expect_err(text).message,
                expected,
                "{text}"
            );
        }
    }
}
