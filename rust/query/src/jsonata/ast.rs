//! An expression as it is evaluated: what jsonata-js's parser makes of it.

use std::sync::Arc;

use super::signature::Signature;
use crate::regex::Regex;

/// The number of a variable's name within one expression.
pub type Symbol = u32;

/// The number of a place that a parent operator refers to.
pub type SlotId = usize;

#[derive(Debug)]
pub struct Node {
    pub kind: Kind,
    /// `[]` follows: a sequence of one stays an array.
    pub keep_array: bool,
    /// An array constructor whose array is not flattened.
    pub is_cons: bool,
    pub extra: Option<Box<Extra>>,
}

/// What few nodes have.
#[derive(Debug, Default)]
pub struct Extra {
    /// Filters of what is no path.
    pub predicate: Option<Vec<Stage>>,
    /// Filters and positions of a step.
    pub stages: Option<Vec<Stage>>,
    pub group: Option<Vec<(Node, Node)>>,
    pub focus: Option<Symbol>,
    pub index: Option<Symbol>,
    pub ancestor: Option<SlotId>,
    pub is_tuple: bool,
    /// Parents that are sought further out. Only the parser reads it.
    pub seeking: Option<Vec<SlotId>>,
}

#[derive(Debug)]
pub enum Stage {
    Filter(Node),
    Index(Symbol),
}

#[derive(Debug)]
pub enum Kind {
    Path {
        steps: Vec<Node>,
        keep_singleton: bool,
    },
    Binary {
        op: Op,
        lhs: Box<Node>,
        rhs: Box<Node>,
    },
    Negate(Box<Node>),
    Array(Vec<Node>),
    Object(Vec<(Node, Node)>),
    Name(Box<[u8]>),
    Text(Box<[u8]>),
    Number(f64),
    Null,
    Bool(bool),
    Wildcard,
    Descendant,
    Parent(SlotId),
    Condition {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Option<Box<Node>>,
    },
    Block(Vec<Node>),
    Bind {
        name: Symbol,
        value: Box<Node>,
    },
    Regex(Box<RegexLiteral>),
    Call {
        procedure: Box<Node>,
        arguments: Vec<Node>,
    },
    Partial {
        procedure: Box<Node>,
        arguments: Vec<Node>,
    },
    /// `?` among the arguments of a partial application.
    Placeholder,
    Variable(Symbol),
    /// `$`
    Context,
    Lambda(Arc<Lambda>),
    /// A call in tail position of a function: it is made when the function has ended.
    Thunk(Arc<Node>),
    Apply {
        lhs: Box<Node>,
        rhs: Box<Node>,
    },
    Transform(Arc<Transform>),
    Sort(Vec<Term>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    Concat,
    And,
    Or,
    In,
    Range,
}

#[derive(Debug)]
pub struct RegexLiteral {
    pub regex: Regex,
    pub source: String,
}

#[derive(Debug)]
pub struct Lambda {
    pub parameters: Vec<Symbol>,
    pub signature: Option<Signature>,
    pub body: Node,
}

#[derive(Debug)]
pub struct Transform {
    pub pattern: Node,
    pub update: Node,
    pub delete: Option<Node>,
}

#[derive(Debug)]
pub struct Term {
    pub is_descending: bool,
    pub expression: Node,
}

/// A parsed expression.
#[derive(Debug)]
pub struct Ast {
    pub root: Node,
    /// The names of variables, by their symbols.
    pub symbols: Vec<Box<[u8]>>,
    /// The variable that each parent slot is kept in.
    pub slots: Vec<Symbol>,
}

impl Node {
    pub fn new(kind: Kind) -> Node {
        Node {
            kind,
            keep_array: false,
            is_cons: false,
            extra: None,
        }
    }

    pub fn extra_mut(&mut self) -> &mut Extra {
        self.extra.get_or_insert_default()
    }

    pub fn predicate(&self) -> Option<&Vec<Stage>> {
        self.extra.as_ref()?.predicate.as_ref()
    }

    pub fn stages(&self) -> Option<&Vec<Stage>> {
        self.extra.as_ref()?.stages.as_ref()
    }

    pub fn group(&self) -> Option<&Vec<(Node, Node)>> {
        self.extra.as_ref()?.group.as_ref()
    }

    pub fn focus(&self) -> Option<Symbol> {
        self.extra.as_ref()?.focus
    }

    pub fn index(&self) -> Option<Symbol> {
        self.extra.as_ref()?.index
    }

    pub fn is_tuple(&self) -> bool {
        self.extra.as_ref().is_some_and(|extra| extra.is_tuple)
    }

    pub fn seeking(&self) -> Option<&Vec<SlotId>> {
        self.extra.as_ref()?.seeking.as_ref()
    }
}

impl Op {
    pub fn sign(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::Modulo => "%",
            Op::Equal => "=",
            Op::NotEqual => "!=",
            Op::Less => "<",
            Op::LessOrEqual => "<=",
            Op::Greater => ">",
            Op::GreaterOrEqual => ">=",
            Op::Concat => "&",
            Op::And => "and",
            Op::Or => "or",
            Op::In => "in",
            Op::Range => "..",
        }
    }

    pub fn of(sign: &str) -> Option<Op> {
        const ALL: [Op; 16] = [
            Op::Add,
            Op::Subtract,
            Op::Multiply,
            Op::Divide,
            Op::Modulo,
            Op::Equal,
            Op::NotEqual,
            Op::Less,
            Op::LessOrEqual,
            Op::Greater,
            Op::GreaterOrEqual,
            Op::Concat,
            Op::And,
            Op::Or,
            Op::In,
            Op::Range,
        ];
        ALL.into_iter().find(|op| op.sign() == sign)
    }
}
