//! The built-in functions: jsonata-js's, with AWS's added and `$eval` taken away (ASL A4.18, A4.19).

mod aws;
mod collections;
mod higher_order;
pub mod matching;
mod numbers;
mod replacing;
pub mod sorting;
mod texts;
mod unchecked;
mod urls;

use std::sync::OnceLock;

use super::error::Answer;
use super::evaluator::Evaluator;
use super::picture::{date, format_number, integer};
use super::signature::{self, Signature};
use super::value::Value;

type Run = fn(&mut Evaluator, &[Value]) -> Answer;

/// A built-in function.
pub struct Native {
    pub name: &'static str,
    /// How many arguments it tells that it takes.
    pub arity: usize,
    /// How many parameters it has, for a partial application.
    pub parameters: usize,
    signature: &'static str,
    parsed: OnceLock<Option<Signature>>,
    implementation: Run,
}

impl Native {
    const fn new(
        name: &'static str,
        arity: usize,
        signature: &'static str,
        implementation: Run,
    ) -> Native {
        let parameters = if arity == 0 { 1 } else { arity };
        Native {
            name,
            arity,
            parameters,
            signature,
            parsed: OnceLock::new(),
            implementation,
        }
    }

    pub fn signature(&self) -> Option<&Signature> {
        let parse = || {
            (!self.signature.is_empty())
                .then(|| signature::parse(self.signature).ok())
                .flatten()
        };
        self.parsed.get_or_init(parse).as_ref()
    }

    pub fn run(&self, evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
        (self.implementation)(evaluator, arguments)
    }

    /// The same for arguments that the signature has not checked.
    pub fn run_unchecked(&self, evaluator: &mut Evaluator, mut arguments: Vec<Value>) -> Answer {
        match unchecked::prepare(self.name, &mut arguments)? {
            Some(result) => Ok(result),
            None => self.run(evaluator, &arguments),
        }
    }
}

/// The function of this name.
pub fn named(name: &[u8], is_aws: bool) -> Option<&'static Native> {
    let find =
        |table: &'static [Native]| table.iter().find(|native| native.name.as_bytes() == name);
    let own = || find(&LANGUAGE);
    match is_aws {
        true => find(&AWS).or_else(own),
        false => own(),
    }
}

/// The signature of what a transform gives.
pub fn transformer_signature() -> &'static Signature {
    static SIGNATURE: OnceLock<Signature> = OnceLock::new();
    SIGNATURE.get_or_init(|| signature::parse("<(oa):o>").unwrap_or_else(|_| Signature::none()))
}

static AWS: [Native; 6] = [
    Native::new("partition", 2, "", aws::partition),
    Native::new("range", 3, "", aws::range),
    Native::new("hash", 2, "", aws::hash),
    Native::new("random", 1, "", aws::random),
    Native::new("uuid", 0, "", aws::uuid),
    Native::new("parse", 1, "", aws::parse),
];

#[rustfmt::skip]
static LANGUAGE: [Native; 64] = [
    Native::new("sum", 1, "<a<n>:n>", numbers::sum),
    Native::new("count", 1, "<a:n>", numbers::count),
    Native::new("max", 1, "<a<n>:n>", numbers::max),
    Native::new("min", 1, "<a<n>:n>", numbers::min),
    Native::new("average", 1, "<a<n>:n>", numbers::average),
    Native::new("string", 1, "<x-b?:s>", texts::string),
    Native::new("substring", 3, "<s-nn?:s>", texts::substring),
    Native::new("substringBefore", 2, "<s-s:s>", texts::substring_before),
    Native::new("substringAfter", 2, "<s-s:s>", texts::substring_after),
    Native::new("lowercase", 1, "<s-:s>", texts::lowercase),
    Native::new("uppercase", 1, "<s-:s>", texts::uppercase),
    Native::new("length", 1, "<s-:n>", texts::length),
    Native::new("trim", 1, "<s-:s>", texts::trim),
    Native::new("pad", 3, "<s-ns?:s>", texts::pad),
    Native::new("match", 3, "<s-f<s:o>n?:a<o>>", matching::matches),
    Native::new("contains", 2, "<s-(sf):b>", matching::contains),
    Native::new("replace", 4, "<s-(sf)(sf)n?:s>", replacing::replace),
    Native::new("split", 3, "<s-(sf)n?:a<s>>", replacing::split),
    Native::new("join", 2, "<a<s>s?:s>", texts::join),
    Native::new("formatNumber", 3, "<n-so?:s>", format_number::format),
    Native::new("formatBase", 2, "<n-n?:s>", numbers::format_base),
    Native::new("formatInteger", 2, "<n-s:s>", integer::format),
    Native::new("parseInteger", 2, "<s-s:n>", integer::parse),
    Native::new("number", 1, "<(nsb)-:n>", numbers::number),
    Native::new("floor", 1, "<n-:n>", numbers::floor),
    Native::new("ceil", 1, "<n-:n>", numbers::ceil),
    Native::new("round", 2, "<n-n?:n>", numbers::round),
    Native::new("abs", 1, "<n-:n>", numbers::abs),
    Native::new("sqrt", 1, "<n-:n>", numbers::sqrt),
    Native::new("power", 2, "<n-n:n>", numbers::power),
    Native::new("random", 0, "<:n>", aws::random),
    Native::new("boolean", 1, "<x-:b>", collections::boolean),
    Native::new("not", 1, "<x-:b>", collections::not),
    Native::new("map", 2, "<af>", higher_order::map),
    Native::new("zip", 0, "<a+>", collections::zip),
    Native::new("filter", 2, "<af>", higher_order::filter),
    Native::new("single", 2, "<af?>", higher_order::single),
    Native::new("reduce", 3, "<afj?:j>", higher_order::reduce),
    Native::new("sift", 2, "<o-f?:o>", higher_order::sift),
    Native::new("keys", 1, "<x-:a<s>>", collections::keys),
    Native::new("lookup", 2, "<x-s:x>", collections::lookup),
    Native::new("append", 2, "<xx:a>", collections::append),
    Native::new("exists", 1, "<x:b>", collections::exists),
    Native::new("spread", 1, "<x-:a<o>>", collections::spread),
    Native::new("merge", 1, "<a<o>:o>", collections::merge),
    Native::new("reverse", 1, "<a:a>", collections::reverse),
    Native::new("each", 2, "<o-f:a>", higher_order::each),
    Native::new("error", 1, "<s?:x>", collections::error),
    Native::new("assert", 2, "<bs?:x>", collections::assert),
    Native::new("type", 1, "<x:s>", collections::kind),
    Native::new("sort", 2, "<af?:a>", sorting::sort),
    Native::new("shuffle", 1, "<a:a>", collections::shuffle),
    Native::new("distinct", 1, "<x:x>", collections::distinct),
    Native::new("base64encode", 1, "<s-:s>", urls::base64_encode),
    Native::new("base64decode", 1, "<s-:s>", urls::base64_decode),
    Native::new("encodeUrlComponent", 1, "<s-:s>", urls::encode_component),
    Native::new("encodeUrl", 1, "<s-:s>", urls::encode),
    Native::new("decodeUrlComponent", 1, "<s-:s>", urls::decode_component),
    Native::new("decodeUrl", 1, "<s-:s>", urls::decode),
    Native::new("toMillis", 2, "<s-s?:n>", date::to_millis),
    Native::new("fromMillis", 3, "<n-s?s?:s>", date::from_millis),
    Native::new("clone", 1, "<(oa)-:o>", collections::clone),
    Native::new("now", 2, "<s?s?:s>", date::now),
    Native::new("millis", 0, "<:n>", date::millis),
];

/// The argument at `at`.
fn argument(arguments: &[Value], at: usize) -> &Value {
    arguments.get(at).unwrap_or(&Value::Undefined)
}

pub use numbers::rounded;
pub use texts::find;
