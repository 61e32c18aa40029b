//! Pictures of dates: `[Y0001]-[M01]-[D01]`.

use super::integer::{self, Case, Format};
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::number::parse_int;

#[derive(Clone, Debug)]
pub enum Part {
    Literal(String),
    Marker(Marker),
}

/// A component of a date, and how it is written.
#[derive(Clone, Debug)]
pub struct Marker {
    pub component: char,
    pub names: Option<Case>,
    pub width: Option<Width>,
    pub format: Option<Format>,
    /// The year's digits, where they are bounded.
    pub digits: Option<f64>,
    /// `t`: zero is `Z`.
    pub is_traditional: bool,
}

#[derive(Clone, Copy, Debug)]
pub struct Width {
    pub least: Option<f64>,
    pub most: Option<f64>,
}

pub fn analyse(picture: &str) -> Answer<Vec<Part>> {
    let letters: Vec<char> = picture.chars().collect();
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < letters.len() {
        if letters[at] == '[' {
            push_literal(&mut parts, &letters[start..at]);
            if letters.get(at + 1) == Some(&'[') {
                parts.push(Part::Literal("[".to_owned()));
                at += 2;
                start = at;
                continue;
            }
            let Some(length) = letters[at..].iter().position(|&letter| letter == ']') else {
                return Err(Fault::new("D3135"));
            };
            let marker = letters[at + 1..at + length]
                .iter()
                .filter(|letter| !letter.is_whitespace())
                .collect::<String>();
            parts.push(Part::Marker(analyse_marker(&marker)?));
            at += length;
            start = at + 1;
        }
        at += 1;
    }
    push_literal(&mut parts, &letters[start.min(letters.len())..]);
    Ok(parts)
}

fn push_literal(parts: &mut Vec<Part>, letters: &[char]) {
    if !letters.is_empty() {
        parts.push(Part::Literal(
            letters.iter().collect::<String>().replace("]]", "]"),
        ));
    }
}

fn analyse_marker(marker: &str) -> Answer<Marker> {
    let mut letters = marker.chars();
    let component = letters.next();
    let rest = letters.as_str();
    let (presentation, width) = match marker.rfind(',') {
        None => (rest, None),
        Some(0) => (
            marker.get(1..).filter(|_| false).unwrap_or(","),
            Some(analyse_width(&marker[1..])),
        ),
        Some(comma) => (
            &marker[component.map_or(0, char::len_utf8)..comma],
            Some(analyse_width(&marker[comma + 1..])),
        ),
    };
    let (first, second) = split_presentation(presentation);
    let first = match first {
        Some(first) => first,
        None => match component.and_then(default_presentation) {
            Some(first) => first.to_owned(),
            None => {
                let value = component.map(String::from).unwrap_or_default();
                return Err(Fault::new("D3132").value_text(&value));
            }
        },
    };
    let component = component.unwrap_or(' ');
    let mut result = Marker {
        component,
        names: None,
        width,
        format: None,
        digits: None,
        is_traditional: second == Some('t'),
    };
    if first.starts_with('n') {
        result.names = Some(Case::Lower);
    } else if let Some(rest) = first.strip_prefix('N') {
        result.names = Some(if rest.starts_with('n') {
            Case::Title
        } else {
            Case::Upper
        });
    } else if "YMDdFWwXxHhmsf".contains(component) {
        result.analyse_integer(&first, second)?;
    }
    if matches!(component, 'Z' | 'z') {
        result.format = Some(integer::analyse(&first)?);
    }
    Ok(result)
}

fn analyse_width(text: &str) -> Width {
    let parse = |text: &str| (text != "*").then(|| parse_int(text));
    match text.split_once('-') {
        None => Width {
            least: parse(text),
            most: None,
        },
        Some((least, most)) => Width {
            least: parse(least),
            most: parse(most),
        },
    }
}

fn split_presentation(presentation: &str) -> (Option<String>, Option<char>) {
    if presentation.is_empty() {
        return (None, None);
    }
    let is_one = presentation.chars().nth(1).is_none();
    match presentation.chars().next_back() {
        Some(last @ ('a' | 't' | 'c' | 'o')) if !is_one => (
            Some(presentation[..presentation.len() - 1].to_owned()),
            Some(last),
        ),
        _ => (Some(presentation.to_owned()), None),
    }
}

fn default_presentation(component: char) -> Option<&'static str> {
    Some(match component {
        'Y' | 'M' | 'D' | 'd' | 'W' | 'w' | 'X' | 'x' | 'H' | 'h' | 'f' => "1",
        'F' | 'P' | 'C' | 'E' => "n",
        'm' | 's' => "01",
        'Z' | 'z' => "01:01",
        _ => return None,
    })
}

impl Marker {
    fn analyse_integer(&mut self, first: &str, second: Option<char>) -> Answer<()> {
        let picture = match second {
            Some(second) => format!("{first};{second}"),
            None => first.to_owned(),
        };
        let mut format = integer::analyse(&picture)?;
        if let (
            Some(Width {
                least: Some(least), ..
            }),
            Some(mandatory),
        ) = (self.width, &mut format.mandatory)
            && *mandatory < least
        {
            *mandatory = least;
        }
        if "YMD".contains(self.component) {
            self.digits = Some(-1.0);
            if let Some(Width {
                most: Some(most), ..
            }) = self.width
            {
                self.digits = Some(most);
                format.mandatory = Some(most);
            } else if let Some(mandatory) = format.mandatory {
                let width = mandatory + format.optional as f64;
                if width >= 2.0 {
                    self.digits = Some(width);
                }
            }
        }
        self.format = Some(format);
        Ok(())
    }
}
