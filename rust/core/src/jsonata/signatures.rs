//! Which function an error of the evaluator is about, which says only what was wrong with an argument.
//!
//! AWS names the function: `Argument 1 of function "sum" must be an array of "numbers"`. Here it is
//! found among the calls that stand in the expression, by the signatures of the language.

use jsonata_core::ast::{AstNode, BinaryOp};

use super::walk::for_each_child;

/// A call in an expression: the function's name, and how many arguments stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub name: String,
    pub arguments: usize,
}

/// The calls by name in `ast`, outermost first.
pub fn calls(ast: &mut AstNode) -> Vec<Call> {
    let mut found = Vec::new();
    collect(ast, 0, &mut found);
    found
}

fn collect(node: &mut AstNode, piped: usize, found: &mut Vec<Call>) {
    if let AstNode::Function {
        name,
        args,
        is_builtin: true,
    } = node
    {
        found.push(Call {
            name: name.clone(),
            arguments: args.len() + piped,
        });
    }
    let is_pipe = matches!(
        node,
        AstNode::Binary {
            op: BinaryOp::ChainPipe,
            ..
        }
    );
    let mut at = 0;
    for_each_child(node, &mut |child| {
        collect(child, usize::from(is_pipe && at == 1), found);
        at += 1;
    });
}

/// The call that was made with `count` arguments, where the function does not take so many.
pub fn with_wrong_count(calls: &[Call], count: usize) -> Option<(&Call, usize)> {
    calls
        .iter()
        .filter(|call| call.arguments == count)
        .find_map(|call| {
            let parameters = parameters(&call.name)?;
            let first_wrong = if count > parameters.len() {
                parameters.len()
            } else {
                count
            };
            Some((call, first_wrong + 1))
        })
}

/// The call whose parameter number `at`, from 1, is of type `kind`, as the evaluator writes it.
pub fn with_parameter<'a>(calls: &'a [Call], at: usize, kind: &str) -> Option<&'a Call> {
    let takes = |call: &&Call| {
        parameters(&call.name).is_some_and(|types| types.get(at - 1).is_some_and(|t| t == kind))
    };
    calls.iter().find(takes)
}

/// The call of a function that is the expression's own.
pub fn of_own_function(calls: &[Call]) -> Option<&Call> {
    calls.iter().find(|call| parameters(&call.name).is_none())
}

fn parameters(function: &str) -> Option<Vec<String>> {
    let (_, signature) = SIGNATURES.iter().find(|(name, _)| *name == function)?;
    let mut types = Vec::new();
    let mut rest = signature.chars();
    while let Some(letter) = rest.next() {
        match letter {
            '(' => {
                let choice: Vec<_> = rest
                    .by_ref()
                    .take_while(|letter| *letter != ')')
                    .map(type_name)
                    .collect();
                types.push(format!("({})", choice.join(" or ")));
            }
            '[' => {
                let element: Vec<_> = rest
                    .by_ref()
                    .take_while(|letter| *letter != ']')
                    .map(type_name)
                    .collect();
                types.push(format!("array of {}", element.concat()));
            }
            letter => types.push(type_name(letter).to_owned()),
        }
    }
    Some(types)
}

fn type_name(letter: char) -> &'static str {
    match letter {
        's' => "String",
        'n' => "Number",
        'b' => "Boolean",
        'a' => "Array",
        'o' => "Object",
        'f' => "Function",
        _ => "Any",
    }
}

/// What each function takes, in the letters of JSONata's signatures; `[n]` is an array of numbers.
#[rustfmt::skip]
const SIGNATURES: &[(&str, &str)] = &[
    ("abs", "n"), ("append", "xx"), ("assert", "bs"), ("average", "[n]"), ("base64decode", "s"),
    ("base64encode", "s"), ("boolean", "x"), ("ceil", "n"), ("contains", "s(sf)"), ("count", "a"),
    ("decodeUrl", "s"), ("decodeUrlComponent", "s"), ("distinct", "x"), ("each", "of"), ("encodeUrl", "s"),
    ("encodeUrlComponent", "s"), ("error", "s"), ("exists", "x"), ("filter", "af"), ("floor", "n"),
    ("formatBase", "nn"), ("formatInteger", "ns"), ("formatNumber", "nso"), ("fromMillis", "nss"), ("join", "[s]s"),
    ("keys", "x"), ("length", "s"), ("lookup", "xs"), ("lowercase", "s"), ("map", "af"), ("match", "sfn"),
    ("max", "[n]"), ("merge", "[o]"), ("millis", ""), ("min", "[n]"), ("not", "x"), ("now", "ss"), ("number", "(nsb)"),
    ("pad", "sns"), ("parseInteger", "ss"), ("power", "nn"), ("reduce", "afx"), ("replace", "s(sf)(sf)n"),
    ("reverse", "a"), ("round", "nn"), ("shuffle", "a"), ("sift", "of"), ("single", "af"), ("sort", "af"),
    ("split", "s(sf)n"), ("spread", "x"), ("sqrt", "n"), ("string", "xb"), ("substring", "snn"),
    ("substringAfter", "ss"), ("substringBefore", "ss"), ("sum", "[n]"), ("toMillis", "ss"), ("trim", "s"),
    ("type", "x"), ("uppercase", "s"), ("zip", "a"), ("partition", "an"), ("range", "nnn"), ("hash", "ss"),
    ("random", "n"), ("uuid", ""), ("parse", "s"),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn calls_of(text: &str) -> Vec<Call> {
        calls(&mut jsonata_core::parser::parse(text).expect("an expression"))
    }

    #[test]
    fn the_call_with_the_parameter_is_found() {
        let calls = calls_of("$uppercase($string($sum(['a'])))");
        assert_eq!(
            with_parameter(&calls, 1, "array of Number").map(|call| &*call.name),
            Some("sum")
        );
        assert_eq!(
            with_parameter(&calls, 1, "String").map(|call| &*call.name),
            Some("uppercase")
        );
        assert_eq!(with_parameter(&calls, 2, "Object"), None);
    }

    #[test]
    fn the_first_argument_too_many_or_missing_is_told() {
        let wrong =
            |text| with_wrong_count(&calls_of(text), calls_of(text)[0].arguments).map(|(_, at)| at);
        assert_eq!(wrong("$substring('a', 1, 2, 3)"), Some(4));
        assert_eq!(wrong("$replace('a')"), Some(2));
        assert_eq!(wrong("'a' ~> $substring(1, 2, 3)"), Some(4));
    }
}
