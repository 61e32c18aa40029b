//! Makes up patterns and texts.

use stepwell_query::regex::Dialect;

use crate::questions::Question;

/// Numbers that look random and are the same for a seed (xorshift64*).
pub struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 20
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn percent(&mut self, chance: usize) -> bool {
        self.below(100) < chance
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const LETTERS: &[&str] = &[
    "a", "b", "c", "a", "b", "A", "B", "1", "0", "_", " ", "-", "k", "s", "\n", "\r\n",
];
const FOREIGN: &[&str] = &[
    "é", "É", "ß", "ſ", "\u{212A}", "K", "Σ", "ς", "σ", "İ", "ı", "i", "I", "µ", "Å", "\u{212B}",
    "å", "\u{301}", "\u{A0}", "\u{2028}", "\u{85}", "\u{FEFF}", "٣", "中", "😀", "𝒜", "𐐀", "𐐨",
    "Ǆ", "ǅ", "ǆ", "\u{1F80}", "\u{1F88}",
];
const SYNTAX: &[&str] = &[
    "]", "}", "{", "{1", "{,2}", "\\-", "\\/", "\\$", "\\.", "\\\\", "\\[", "\\(", "/", "&", "&&",
    "~", "#", "\\t",
];
const COMMON: &[&str] = &[
    ".", ".", "^", "$", "\\b", "\\B", "\\d", "\\D", "\\w", "\\W", "\\s", "\\S", "[ab]", "[^a]",
    "[a-c]", "\\1", "\\2", "\\3", "\\k<n>", "\\x41", "\\x4", "\\u0061", "\\u006", "\\n", "\\r",
    "\\f",
];
const ECMASCRIPT: &[&str] = &[
    "[^]", "[]", "\\0", "\\01", "\\101", "\\8", "\\18", "\\400", "\\377", "\\cA", "\\c", "\\c1",
    "\\u{61}", "\\p{L}", "\\v", "\\k", "\\k<", "\\z", "\\A", "\\ud83d", "\\ude00", "\\q", "\\e",
    "\\h", "\\0000",
];
const JAVA: &[&str] = &[
    "\\p{L}",
    "\\p{Lu}",
    "\\P{Ll}",
    "\\pL",
    "\\PN",
    "\\p{Alpha}",
    "\\p{Punct}",
    "\\p{IsGreek}",
    "\\p{InGreek}",
    "\\p{IsAlphabetic}",
    "\\p{javaLowerCase}",
    "\\p{Lower}",
    "\\p{Upper}",
    "\\p{sc=Latin}",
    "\\p{gc=Lu}",
    "\\h",
    "\\H",
    "\\v",
    "\\V",
    "\\R",
    "\\X",
    "\\G",
    "\\A",
    "\\z",
    "\\Z",
    "\\Qa.b\\E",
    "\\Q",
    "\\E",
    "\\x{1F600}",
    "\\x{61}",
    "\\07",
    "\\0101",
    "\\0",
    "\\08",
    "\\cA",
    "\\a",
    "\\e",
    "(?i)",
    "(?-i)",
    "(?x)",
    "(?s)",
    "(?m)",
    "(?d)",
    "(?u)",
    "(?iu)",
    "(?U)",
    "\\b{g}",
    "\\y",
    "\\8",
    "\\11",
    "[a-c&&[^b]]",
    "[ab[cd]]",
    "[^a&&b]",
    "\\p{Digit}",
    "\\p{IsWhite_Space}",
    "\\ud83d\\ude00",
    "\\ud83d",
    "\\N",
    "\\K",
    "\\p{IsLatin}",
    "\\p{block=Cyrillic}",
    "\\p{Space}",
    "\\p{Blank}",
];
const QUANTIFIERS: &[&str] = &[
    "*", "+", "?", "{2}", "{1,}", "{0,2}", "{1,3}", "{0}", "{2,3}", "{1}", "{0,1}", "{3,1}",
];

pub fn questions(dialect: Dialect, count: usize, seed: u64) -> Vec<Question> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    for _ in 0..8 {
        random.next();
    }
    let mut questions = Vec::with_capacity(count);
    while questions.len() < count {
        let pattern = pattern(dialect, &mut random);
        let flags = flags(dialect, &mut random);
        for _ in 0..2 {
            questions.push(Question {
                text: text(&pattern, &mut random),
                pattern: pattern.clone(),
                flags: flags.clone(),
            });
        }
    }
    questions.truncate(count);
    questions
}

fn flags(dialect: Dialect, random: &mut Random) -> String {
    let letters = match dialect {
        Dialect::EcmaScript => "ims",
        Dialect::Java => "idmsuxU",
    };
    let chance = if dialect == Dialect::Java { 15 } else { 30 };
    letters.chars().filter(|_| random.percent(chance)).collect()
}

fn pattern(dialect: Dialect, random: &mut Random) -> Vec<u16> {
    let mut text = String::new();
    let mut size = 2 + random.below(9);
    alternatives(dialect, random, &mut text, &mut size, 0);
    let mut units: Vec<u16> = text.encode_utf16().collect();
    if random.percent(25) {
        mutate(&mut units, random);
    }
    units.retain(|unit| !matches!(unit, 0x09));
    units
}

fn mutate(units: &mut Vec<u16>, random: &mut Random) {
    for _ in 0..1 + random.below(2) {
        if units.is_empty() {
            return;
        }
        let place = random.below(units.len());
        match random.below(4) {
            0 => drop(units.remove(place)),
            1 => units.insert(place, units[random.below(units.len())]),
            2 => units.insert(
                place,
                b"()[]{}|*+?\\^$.-&<>=!:,1kQEpx"[random.below(28)].into(),
            ),
            _ => units.truncate(place),
        }
    }
}

fn alternatives(
    dialect: Dialect,
    random: &mut Random,
    to: &mut String,
    size: &mut usize,
    depth: usize,
) {
    let count = 1 + usize::from(random.percent(25)) + usize::from(random.percent(8));
    for number in 0..count {
        if number > 0 {
            to.push('|');
        }
        for _ in 0..random.below(4) + usize::from(depth == 0) {
            if *size > 0 {
                *size -= 1;
                term(dialect, random, to, size, depth);
            }
        }
    }
}

fn term(dialect: Dialect, random: &mut Random, to: &mut String, size: &mut usize, depth: usize) {
    match random.below(100) {
        0..30 => to.push_str(random.pick(LETTERS)),
        30..36 => to.push_str(random.pick(FOREIGN)),
        36..39 => to.push_str(random.pick(SYNTAX)),
        39..53 => to.push_str(random.pick(COMMON)),
        53..63 => to.push_str(random.pick(if dialect == Dialect::Java {
            JAVA
        } else {
            ECMASCRIPT
        })),
        63..73 => class(dialect, random, to, 0),
        _ if depth < 4 => group(dialect, random, to, size, depth),
        _ => to.push('a'),
    }
    if random.percent(35) {
        to.push_str(random.pick(QUANTIFIERS));
        if random.percent(25) {
            to.push('?');
        } else if random.percent(if dialect == Dialect::Java { 20 } else { 2 }) {
            to.push('+');
        }
    }
}

fn group(dialect: Dialect, random: &mut Random, to: &mut String, size: &mut usize, depth: usize) {
    let kinds: &[&str] = match dialect {
        Dialect::EcmaScript => &[
            "(", "(", "(", "(", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "(?<m>",
        ],
        Dialect::Java => &[
            "(", "(", "(", "(", "(?:", "(?:", "(?=", "(?!", "(?<=", "(?<!", "(?<n>", "(?<m>",
            "(?>", "(?i:", "(?-i:", "(?x:", "(?iu:", "(?s-i:", "(?U:",
        ],
    };
    to.push_str(random.pick(kinds));
    alternatives(dialect, random, to, size, depth + 1);
    to.push(')');
}

fn class(dialect: Dialect, random: &mut Random, to: &mut String, depth: usize) {
    const ITEMS: &[&str] = &[
        "a",
        "b",
        "c",
        "A",
        "1",
        "_",
        "-",
        "a-c",
        "A-Z",
        "0-9",
        "a-z",
        "\\d",
        "\\w",
        "\\s",
        "\\W",
        "\\-",
        "\\]",
        "^",
        " ",
        "\\n",
        "é",
        "À-ÿ",
        "σ",
        "k",
        "K-k",
        "\\b",
        "s",
        "\\x41",
        "\\u0062-\\u0064",
        ".",
        "$",
        "\\D",
        "\\S",
        "\n",
    ];
    const JAVA_ITEMS: &[&str] = &[
        "&&",
        "&&",
        "&",
        "[",
        "]",
        "\\p{L}",
        "\\P{Lu}",
        "\\h",
        "\\v",
        "😀",
        "😀-😎",
        "\\Qx-z\\E",
        "\\x{1F600}",
        "#",
        "\\p{IsGreek}",
        "\\H",
        "\\p{Lower}",
        "\\ud83d",
        "\\07",
        "\\cB",
        "\\1",
        "\\R",
        "Ա-Ֆ",
        "Ⅰ",
        "ⅰ",
        "𐐀-𐐧",
    ];
    const ECMASCRIPT_ITEMS: &[&str] = &[
        "\\c", "\\cA", "\\c1", "\\c_", "\\0", "\\12", "\\8", "\\B", "\\k", "\\u{1}", "a-\\d",
        "\\w-z", "\\d-\\s", "[", "\\ud83d", "😀", "\\x4", "Ա-Ֆ", "Ⅰ", "ⅰ", "\\-", "--a", "+--",
    ];
    to.push('[');
    if random.percent(30) {
        to.push('^');
    }
    for _ in 0..1 + random.below(4) {
        match random.below(10) {
            0..7 => to.push_str(random.pick(ITEMS)),
            7 if dialect == Dialect::Java && depth < 2 => class(dialect, random, to, depth + 1),
            _ if dialect == Dialect::Java => to.push_str(random.pick(JAVA_ITEMS)),
            _ => to.push_str(random.pick(ECMASCRIPT_ITEMS)),
        }
    }
    to.push(']');
}

/// A text of what stands in the pattern and of other characters.
fn text(pattern: &[u16], random: &mut Random) -> Vec<u16> {
    let mut text = Vec::new();
    for _ in 0..random.below(9) {
        match random.below(10) {
            0..6 => text.extend(random.pick(LETTERS).encode_utf16()),
            6..8 if !pattern.is_empty() => text.push(pattern[random.below(pattern.len())]),
            8 => text.extend(random.pick(FOREIGN).encode_utf16()),
            _ => text.extend(
                random
                    .pick(&["a", "b", "ab", "aab", "\r", ".", "x"])
                    .encode_utf16(),
            ),
        }
    }
    text
}
