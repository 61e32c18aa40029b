//! The text of an expression as tokens.

use super::ast::RegexLiteral;
use super::error::{Answer, Fault};
use super::text::Text;
use crate::regex::{Dialect, Flags, Regex};

/// One token.
#[derive(Debug)]
pub enum Token {
    Name(Text),
    Variable(Text),
    Operator(&'static str),
    Text(Text),
    Number(f64),
    Bool(bool),
    Null,
    Regex(Box<RegexLiteral>),
}

/// Operators of one character, and characters that end a name.
const SINGLE: [&str; 26] = [
    ".", "[", "]", "{", "}", "(", ")", ",", "@", "#", ";", ":", "?", "+", "-", "*", "/", "%", "|",
    "=", "<", ">", "^", "&", "!", "~",
];
const DOUBLE: [&str; 7] = ["..", ":=", "!=", ">=", "<=", "**", "~>"];

/// Reads tokens one by one.
pub struct Lexer {
    units: Vec<u16>,
    at: usize,
}

impl Lexer {
    pub fn new(text: &Text) -> Lexer {
        Lexer {
            units: text.to_utf16(),
            at: 0,
        }
    }

    /// The next token; `after_operand`: where a `/` divides.
    pub fn next(&mut self, after_operand: bool) -> Answer<Option<Token>> {
        if self.at >= self.units.len() {
            return Ok(None);
        }
        self.skip_blanks_and_comments()?;
        let Some(first) = self.peek(0) else {
            return Ok(None);
        };
        if !after_operand && first == unit('/') {
            self.at += 1;
            return self
                .regex()
                .map(|regex| Some(Token::Regex(Box::new(regex))));
        }
        if let Some(operator) = self.operator() {
            return Ok(Some(Token::Operator(operator)));
        }
        if first == unit('"') || first == unit('\'') {
            self.at += 1;
            return self.text(first).map(|text| Some(Token::Text(text)));
        }
        if let Some(length) = self.number_length() {
            return self
                .number(length)
                .map(|number| Some(Token::Number(number)));
        }
        if first == unit('`') {
            return self.quoted_name().map(|name| Some(Token::Name(name)));
        }
        Ok(Some(self.name()))
    }

    fn peek(&self, ahead: usize) -> Option<u16> {
        self.units.get(self.at + ahead).copied()
    }

    fn skip_blanks_and_comments(&mut self) -> Answer<()> {
        loop {
            while self.peek(0).is_some_and(is_blank) {
                self.at += 1;
            }
            if self.peek(0) != Some(unit('/')) || self.peek(1) != Some(unit('*')) {
                return Ok(());
            }
            self.at += 2;
            while self.peek(0) != Some(unit('*')) || self.peek(1) != Some(unit('/')) {
                self.at += 1;
                if self.at >= self.units.len() {
                    return Err(Fault::new("S0106"));
                }
            }
            self.at += 2;
            if self.at >= self.units.len() {
                return Ok(());
            }
        }
    }

    fn operator(&mut self) -> Option<&'static str> {
        let is_here = |sign: &&&str| {
            sign.encode_utf16()
                .enumerate()
                .all(|(at, unit)| self.peek(at) == Some(unit))
        };
        let found = DOUBLE
            .iter()
            .find(is_here)
            .or_else(|| SINGLE.iter().find(is_here))
            .copied()?;
        self.at += found.len();
        Some(found)
    }

    fn text(&mut self, quote: u16) -> Answer<Text> {
        let mut units = Vec::new();
        while let Some(unit) = self.peek(0) {
            if unit == quote {
                self.at += 1;
                return Ok(Text::from_utf16(&units));
            }
            match unit == u16::from(b'\\') {
                true => units.push(self.escape()?),
                false => units.push(unit),
            }
            self.at += 1;
        }
        Err(Fault::new("S0101"))
    }

    fn escape(&mut self) -> Answer<u16> {
        self.at += 1;
        let letter = self
            .peek(0)
            .and_then(|unit| char::from_u32(u32::from(unit)));
        Ok(match letter {
            Some(letter @ ('"' | '\\' | '/')) => unit(letter),
            Some('b') => 8,
            Some('f') => 12,
            Some('n') => 10,
            Some('r') => 13,
            Some('t') => 9,
            Some('u') => {
                let end = (self.at + 5).min(self.units.len());
                let digits = String::from_utf16_lossy(&self.units[self.at + 1..end]);
                let is_hex =
                    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
                let value = u16::from_str_radix(&digits, 16).ok().filter(|_| is_hex);
                self.at += 4;
                value.ok_or_else(|| Fault::new("S0104"))?
            }
            _ => {
                let token = self
                    .peek(0)
                    .map_or(Text::EMPTY, |unit| Text::from_utf16(&[unit]));
                return Err(Fault::new("S0103").token_text(Some(token)));
            }
        })
    }

    /// How long the number that stands here is: `-?(0|[1-9][0-9]*)(\.[0-9]+)?([Ee][-+]?[0-9]+)?`.
    fn number_length(&self) -> Option<usize> {
        let is_digit = |at: usize| self.peek(at).is_some_and(|unit| (48..58).contains(&unit));
        let digits = |mut at: usize| {
            while is_digit(at) {
                at += 1;
            }
            at
        };
        let mut end = match self.peek(0) {
            Some(48) => 1,
            _ if is_digit(0) => digits(0),
            _ => return None,
        };
        if self.peek(end) == Some(unit('.')) && is_digit(end + 1) {
            end = digits(end + 1);
        }
        if matches!(self.peek(end), Some(69 | 101)) {
            let sign = usize::from(matches!(self.peek(end + 1), Some(43 | 45)));
            if is_digit(end + 1 + sign) {
                end = digits(end + 1 + sign);
            }
        }
        Some(end)
    }

    fn number(&mut self, length: usize) -> Answer<f64> {
        let digits = String::from_utf16_lossy(&self.units[self.at..self.at + length]);
        match digits.parse() {
            Ok(number) if f64::is_finite(number) => {
                self.at += length;
                Ok(number)
            }
            _ => Err(Fault::new("S0102").token(&digits)),
        }
    }

    fn quoted_name(&mut self) -> Answer<Text> {
        self.at += 1;
        let rest = &self.units[self.at..];
        let Some(length) = rest.iter().position(|&letter| letter == unit('`')) else {
            return Err(Fault::new("S0105"));
        };
        let name = Text::from_utf16(&rest[..length]);
        self.at += length + 1;
        Ok(name)
    }

    fn name(&mut self) -> Token {
        let start = self.at.min(self.units.len());
        let rest = &self.units[start..];
        let length = rest
            .iter()
            .position(|&unit| is_blank(unit) || is_operator(unit))
            .unwrap_or(rest.len());
        let letters = &rest[..length];
        self.at += length;
        if letters.first() == Some(&unit('$')) {
            return Token::Variable(Text::from_utf16(&letters[1..]));
        }
        let name = Text::from_utf16(letters);
        match name.bytes() {
            b"or" => Token::Operator("or"),
            b"in" => Token::Operator("in"),
            b"and" => Token::Operator("and"),
            b"true" => Token::Bool(true),
            b"false" => Token::Bool(false),
            b"null" => Token::Null,
            _ => Token::Name(name),
        }
    }

    fn regex(&mut self) -> Answer<RegexLiteral> {
        let start = self.at;
        let mut depth = 0;
        while let Some(letter) = self.peek(0) {
            if letter == unit('/') && depth == 0 && self.backslashes_before().is_multiple_of(2) {
                if self.at == start {
                    return Err(Fault::new("S0301"));
                }
                let pattern = self.units[start..self.at].to_vec();
                self.at += 1;
                return self.regex_with_flags(&pattern);
            }
            if self.units[self.at - 1] != unit('\\') {
                match char::from_u32(u32::from(letter)) {
                    Some('(' | '[' | '{') => depth += 1,
                    Some(')' | ']' | '}') => depth -= 1,
                    _ => {}
                }
            }
            self.at += 1;
        }
        Err(Fault::new("S0302"))
    }

    fn backslashes_before(&self) -> usize {
        self.units[..self.at]
            .iter()
            .rev()
            .take_while(|&&letter| letter == unit('\\'))
            .count()
    }

    fn regex_with_flags(&mut self, pattern: &[u16]) -> Answer<RegexLiteral> {
        let mut flags = Flags::default();
        let mut letters = String::new();
        let mut is_double = false;
        while let Some(letter @ (105 | 109)) = self.peek(0) {
            let flag = if letter == 105 {
                &mut flags.ignore_case
            } else {
                &mut flags.multiline
            };
            is_double |= std::mem::replace(flag, true);
            letters.push(char::from(letter as u8));
            self.at += 1;
        }
        let source = String::from_utf16_lossy(pattern);
        if is_double {
            let text = format!("Invalid flags supplied to RegExp constructor '{letters}g'");
            return Err(Fault::uncoded(text));
        }
        match Regex::compile(pattern, Dialect::EcmaScript, flags) {
            Ok(regex) => Ok(RegexLiteral { regex, source }),
            Err(error) => Err(Fault::uncoded(error.message)),
        }
    }
}

fn unit(letter: char) -> u16 {
    letter as u16
}

fn is_blank(unit: u16) -> bool {
    matches!(unit, 32 | 9 | 10 | 13 | 11)
}

fn is_operator(unit: u16) -> bool {
    u8::try_from(unit).is_ok_and(|byte| SINGLE.iter().any(|sign| sign.as_bytes() == [byte]))
}
