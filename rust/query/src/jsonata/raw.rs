//! The tree of an expression's text.

use super::ast::RegexLiteral;
use super::signature::Signature;
use super::text::Text;

/// What a node is, as it stands in the text.
#[derive(Debug)]
pub struct Raw {
    pub kind: RawKind,
    /// `[]` follows it.
    pub keep_array: bool,
}

#[derive(Debug)]
pub enum RawKind {
    /// The end of the text, where an operand should be.
    End,
    Name(Text),
    Variable(Text),
    Text(Text),
    Number(f64),
    Bool(bool),
    Null,
    Regex(Box<RegexLiteral>),
    /// `and`, `or`, `in` as names, or `?` as an argument.
    Operator(&'static str),
    Wildcard,
    Descendant,
    Parent,
    Negate(Box<Raw>),
    Array(Vec<Raw>),
    Object(Vec<(Raw, Raw)>),
    Block(Vec<Raw>),
    Binary(&'static str, Box<Raw>, Box<Raw>),
    Group(Box<Raw>, Vec<(Raw, Raw)>),
    OrderBy(Box<Raw>, Vec<(bool, Raw)>),
    Call(Box<Raw>, Vec<Raw>),
    Partial(Box<Raw>, Vec<Raw>),
    Lambda {
        parameters: Vec<Text>,
        signature: Option<Signature>,
        body: Box<Raw>,
    },
    Condition(Box<Raw>, Box<Raw>, Option<Box<Raw>>),
    Transform(Box<Raw>, Box<Raw>, Option<Box<Raw>>),
}
