//! Questions to the oracles of regular expressions, and our answers in their form.

use stepwell_query::regex::{Dialect, Flags, Regex, StepsLeft};

pub struct Question {
    pub pattern: Vec<u16>,
    pub flags: String,
    pub text: Vec<u16>,
}

impl Question {
    pub fn line(&self) -> String {
        format!(
            "{}\t{}\t{}",
            escape(&self.pattern),
            self.flags,
            escape(&self.text)
        )
    }
}

/// Code units that are not plain ASCII, as `\uXXXX`.
pub fn escape(units: &[u16]) -> String {
    let mut text = String::new();
    for &unit in units {
        match u8::try_from(unit) {
            Ok(byte @ b' '..=b'~') if byte != b'\\' => text.push(byte.into()),
            _ => text.push_str(&format!("\\u{unit:04x}")),
        }
    }
    text
}

pub fn unescape(text: &str) -> Vec<u16> {
    let mut units = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if first == '\\' {
            units.push(u16::from_str_radix(&rest[2..6], 16).expect("four hexadecimal digits"));
            rest = &rest[6..];
        } else {
            units.push(first as u16);
            rest = &rest[1..];
        }
    }
    units
}

/// Questions and right answers of a file.
pub fn read(lines: &str) -> Vec<(Question, String)> {
    let question = |line: &str| {
        let parts: Vec<&str> = line.split('\t').collect();
        let question = Question {
            pattern: unescape(parts[0]),
            flags: parts[1].to_owned(),
            text: unescape(parts[2]),
        };
        (question, parts[3].to_owned())
    };
    lines.lines().map(question).collect()
}

pub fn flags_of(letters: &str) -> Flags {
    let has = |letter| letters.contains(letter);
    Flags {
        ignore_case: has('i'),
        multiline: has('m'),
        dot_all: has('s'),
        unix_lines: has('d'),
        unicode_case: has('u'),
        comments: has('x'),
        unicode_class: has('U'),
    }
}

/// Our answer; "?" if it takes too many steps.
pub fn answer_of(question: &Question, dialect: Dialect) -> String {
    let regex = match Regex::compile(&question.pattern, dialect, flags_of(&question.flags)) {
        Ok(regex) => regex,
        Err(error) => {
            let message: Vec<u16> = error.message.encode_utf16().collect();
            return format!("!{}", escape(&message));
        }
    };
    let mut budget = StepsLeft(20_000_000);
    let Ok(found) = regex.find_at(&question.text, 0, &mut budget) else {
        return "?".to_owned();
    };
    let mut parts = Vec::new();
    if dialect == Dialect::Java {
        match regex.matches_whole(&question.text, &mut budget) {
            Ok(is_whole) => parts.push(if is_whole { "=" } else { "~" }.to_owned()),
            Err(_) => return "?".to_owned(),
        }
    }
    match found {
        None => parts.push("-".to_owned()),
        Some(captures) => parts.extend(captures.groups.iter().map(|group| match group {
            Some((start, end)) => format!("{start}-{end}"),
            None => "-".to_owned(),
        })),
    }
    parts.join(" ")
}
