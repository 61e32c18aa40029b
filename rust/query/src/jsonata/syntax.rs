//! The parser: operator precedence as in jsonata-js, which makes a tree of what stands in the text.
//!
//! [`super::meaning`] makes of it what is evaluated.

use super::error::{Answer, Fault};
use super::lexer::{Lexer, Token};
use super::raw::{Raw, RawKind};
use super::sign::{Sign, operand_text, power};
use super::signature::{self, Signature};
use super::text::Text;

/// How deeply an expression may be nested; AWS evaluates no more than 100 levels.
const MAX_DEPTH: usize = 1_000;

/// The tree of `text`, None where it is nested deeper than anything that is evaluated.
pub fn parse(text: &Text) -> Answer<Option<Raw>> {
    let mut parser = Parser {
        lexer: Lexer::new(text),
        node: Sign::End,
        depth: 0,
        is_too_deep: false,
    };
    let parsed = parser.whole();
    match parser.is_too_deep {
        true => Ok(None),
        false => parsed.map(Some),
    }
}

struct Parser {
    lexer: Lexer,
    node: Sign,
    depth: usize,
    is_too_deep: bool,
}

fn boxed(kind: RawKind) -> Raw {
    Raw {
        kind,
        keep_array: false,
    }
}

impl Parser {
    fn whole(&mut self) -> Answer<Raw> {
        self.advance()?;
        let root = self.expression(0)?;
        match self.node {
            Sign::End => Ok(root),
            _ => Err(self.node.fault("S0201")),
        }
    }

    fn advance(&mut self) -> Answer<()> {
        self.step(false)
    }

    fn step(&mut self, after_operand: bool) -> Answer<()> {
        self.node = match self.lexer.next(after_operand)? {
            None => Sign::End,
            Some(Token::Operator(sign @ ("!" | "~"))) => {
                return Err(Fault::new("S0204").token(sign));
            }
            Some(Token::Operator(sign)) => Sign::Operator(sign),
            Some(Token::Name(name)) => Sign::Operand(boxed(RawKind::Name(name))),
            Some(Token::Variable(name)) => Sign::Operand(boxed(RawKind::Variable(name))),
            Some(Token::Text(text)) => Sign::Operand(boxed(RawKind::Text(text))),
            Some(Token::Number(number)) => Sign::Operand(boxed(RawKind::Number(number))),
            Some(Token::Bool(flag)) => Sign::Operand(boxed(RawKind::Bool(flag))),
            Some(Token::Null) => Sign::Operand(boxed(RawKind::Null)),
            Some(Token::Regex(regex)) => Sign::Operand(boxed(RawKind::Regex(regex))),
        };
        Ok(())
    }

    fn expect(&mut self, id: &'static str, after_operand: bool) -> Answer<()> {
        if self.node.is(id) {
            return self.step(after_operand);
        }
        let code = if self.node.is("(end)") {
            "S0203"
        } else {
            "S0202"
        };
        Err(self.node.fault(code).value_text(id))
    }

    /// Whether `id` stands here; if so it is passed.
    fn passes(&mut self, id: &'static str) -> Answer<bool> {
        let is_here = self.node.is(id);
        if is_here {
            self.expect(id, false)?;
        }
        Ok(is_here)
    }

    fn expression(&mut self, binding_power: u8) -> Answer<Raw> {
        self.depth += 1;
        let before = self.depth;
        let parsed = stacker::maybe_grow(128 << 10, 2 << 20, || self.operators(binding_power));
        self.depth = before - 1;
        parsed
    }

    fn operators(&mut self, binding_power: u8) -> Answer<Raw> {
        self.refuse_depth()?;
        let first = std::mem::replace(&mut self.node, Sign::End);
        self.step(true)?;
        let mut left = self.prefix(first)?;
        while binding_power < self.node.binding_power() {
            self.depth += 1;
            self.refuse_depth()?;
            let operator = std::mem::replace(&mut self.node, Sign::End);
            self.advance()?;
            if let Sign::Operator(sign) = operator {
                left = self.infix(sign, left)?;
            }
        }
        Ok(left)
    }

    fn refuse_depth(&mut self) -> Answer<()> {
        if self.depth > MAX_DEPTH {
            self.is_too_deep = true;
            return Err(Fault::uncoded(""));
        }
        Ok(())
    }

    fn boxed_expression(&mut self, binding_power: u8) -> Answer<Box<Raw>> {
        self.expression(binding_power).map(Box::new)
    }

    fn prefix(&mut self, first: Sign) -> Answer<Raw> {
        let kind = match first {
            Sign::Operand(raw) => return Ok(raw),
            Sign::End => RawKind::End,
            Sign::Operator(sign @ ("and" | "or" | "in")) => RawKind::Operator(sign),
            Sign::Operator("*") => RawKind::Wildcard,
            Sign::Operator("**") => RawKind::Descendant,
            Sign::Operator("%") => RawKind::Parent,
            Sign::Operator("-") => RawKind::Negate(self.boxed_expression(70)?),
            Sign::Operator("(") => self.block()?,
            Sign::Operator("[") => self.array()?,
            Sign::Operator("{") => RawKind::Object(self.pairs()?),
            Sign::Operator("|") => self.transform()?,
            Sign::Operator(sign) => return Err(Fault::new("S0211").token(sign)),
        };
        Ok(boxed(kind))
    }

    fn block(&mut self) -> Answer<RawKind> {
        let mut expressions = Vec::new();
        while !self.node.is(")") {
            expressions.push(self.expression(0)?);
            if !self.passes(";")? {
                break;
            }
        }
        self.expect(")", true)?;
        Ok(RawKind::Block(expressions))
    }

    fn array(&mut self) -> Answer<RawKind> {
        let mut items = Vec::new();
        if !self.node.is("]") {
            loop {
                let mut item = self.expression(0)?;
                if self.passes("..")? {
                    let end = self.boxed_expression(0)?;
                    item = boxed(RawKind::Binary("..", Box::new(item), end));
                }
                items.push(item);
                if !self.passes(",")? {
                    break;
                }
            }
        }
        self.expect("]", true)?;
        Ok(RawKind::Array(items))
    }

    fn pairs(&mut self) -> Answer<Vec<(Raw, Raw)>> {
        let mut pairs = Vec::new();
        if !self.node.is("}") {
            loop {
                let name = self.expression(0)?;
                self.expect(":", false)?;
                pairs.push((name, self.expression(0)?));
                if !self.passes(",")? {
                    break;
                }
            }
        }
        self.expect("}", true)?;
        Ok(pairs)
    }

    fn transform(&mut self) -> Answer<RawKind> {
        let pattern = self.boxed_expression(0)?;
        self.expect("|", false)?;
        let update = self.boxed_expression(0)?;
        let delete = match self.passes(",")? {
            true => Some(self.boxed_expression(0)?),
            false => None,
        };
        self.expect("|", false)?;
        Ok(RawKind::Transform(pattern, update, delete))
    }

    fn infix(&mut self, sign: &'static str, mut left: Raw) -> Answer<Raw> {
        let kind = match sign {
            "(" => self.call(left)?,
            "[" if self.node.is("]") => {
                mark_keep_array(&mut left);
                self.advance()?;
                return Ok(left);
            }
            "[" => {
                let predicate = self.boxed_expression(0)?;
                self.expect("]", true)?;
                RawKind::Binary("[", Box::new(left), predicate)
            }
            "{" => RawKind::Group(Box::new(left), self.pairs()?),
            "^" => self.order_by(left)?,
            ":=" => {
                if !matches!(left.kind, RawKind::Variable(_)) {
                    return Err(Fault::new("S0212"));
                }
                RawKind::Binary(":=", Box::new(left), self.boxed_expression(9)?)
            }
            "@" | "#" => {
                let name = self.boxed_expression(80)?;
                if !matches!(name.kind, RawKind::Variable(_)) {
                    return Err(Fault::new("S0214").token(sign));
                }
                RawKind::Binary(sign, Box::new(left), name)
            }
            "?" => {
                let then = self.boxed_expression(0)?;
                let otherwise = match self.passes(":")? {
                    true => Some(self.boxed_expression(0)?),
                    false => None,
                };
                RawKind::Condition(Box::new(left), then, otherwise)
            }
            _ => RawKind::Binary(sign, Box::new(left), self.boxed_expression(power(sign))?),
        };
        Ok(boxed(kind))
    }

    fn order_by(&mut self, left: Raw) -> Answer<RawKind> {
        self.expect("(", false)?;
        let mut terms = Vec::new();
        loop {
            let is_descending = match self.passes("<")? {
                true => false,
                false => self.passes(">")?,
            };
            terms.push((is_descending, self.expression(0)?));
            if !self.passes(",")? {
                break;
            }
        }
        self.expect(")", false)?;
        Ok(RawKind::OrderBy(Box::new(left), terms))
    }

    fn call(&mut self, procedure: Raw) -> Answer<RawKind> {
        let mut arguments = Vec::new();
        let mut is_partial = false;
        if !self.node.is(")") {
            loop {
                if self.passes("?")? {
                    is_partial = true;
                    arguments.push(boxed(RawKind::Operator("?")));
                } else {
                    arguments.push(self.expression(0)?);
                }
                if !self.passes(",")? {
                    break;
                }
            }
        }
        self.expect(")", true)?;
        match &procedure.kind {
            RawKind::Name(name) if matches!(name.bytes(), b"function" | b"\xCE\xBB") => {
                self.lambda(arguments)
            }
            _ if is_partial => Ok(RawKind::Partial(Box::new(procedure), arguments)),
            _ => Ok(RawKind::Call(Box::new(procedure), arguments)),
        }
    }

    fn lambda(&mut self, arguments: Vec<Raw>) -> Answer<RawKind> {
        let mut parameters = Vec::new();
        for (at, argument) in arguments.into_iter().enumerate() {
            match argument.kind {
                RawKind::Variable(name) => parameters.push(name),
                _ => {
                    return Err(
                        Fault::new("S0208").value(&super::value::Value::Number((at + 1) as f64))
                    );
                }
            }
        }
        let signature = match self.node.is("<") {
            true => Some(self.signature()?),
            false => None,
        };
        self.expect("{", false)?;
        let body = self.boxed_expression(0)?;
        self.expect("}", false)?;
        Ok(RawKind::Lambda {
            parameters,
            signature,
            body,
        })
    }

    fn signature(&mut self) -> Answer<Signature> {
        let mut depth = 1;
        let mut text = "<".to_owned();
        while depth > 0 && !self.node.is("{") && !self.node.is("(end)") {
            self.advance()?;
            match self.node.id() {
                ">" => depth -= 1,
                "<" => depth += 1,
                _ => {}
            }
            match &self.node {
                Sign::Operand(raw) => text.push_str(&operand_text(raw)),
                sign => text.push_str(sign.id()),
            }
        }
        self.expect(">", false)?;
        signature::parse(&text)
    }
}

/// `a[1][]` keeps the array of `a`.
fn mark_keep_array(mut raw: &mut Raw) {
    while matches!(&raw.kind, RawKind::Binary("[", ..)) {
        match &mut raw.kind {
            RawKind::Binary("[", left, _) => raw = left,
            _ => return,
        }
    }
    raw.keep_array = true;
}
