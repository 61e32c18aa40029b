//! JSONata's bounds and texts, from outside: errors in AWS's words, a budget that is the same each time, no panic.

use proptest::prelude::*;
use stepwell_query::jsonata::{Bound, EvaluationError, Expression, Limits, Value, to_json};

fn evaluate(text: &str, limits: &Limits) -> Result<Value, EvaluationError> {
    let expression = Expression::compile(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    expression.evaluate(Vec::new(), limits, Expression::held())
}

fn error(text: &str) -> String {
    let error = evaluate(text, &Limits::AWS).expect_err(text);
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

/// The fewest steps that `text` ends within.
fn steps_of(text: &str) -> u64 {
    let is_enough = |steps: u64| {
        let limits = Limits {
            steps,
            ..Limits::AWS
        };
        !matches!(evaluate(text, &limits), Err(error) if error.bound == Some(Bound::Steps))
    };
    let (mut least, mut most) = (0, Limits::AWS.steps);
    while least < most {
        let middle = least + (most - least) / 2;
        match is_enough(middle) {
            true => most = middle,
            false => least = middle + 1,
        }
    }
    least
}

#[test]
fn every_kind_of_work_spends_steps() {
    for (text, least) in [
        ("$sum([1..100000])", 25_000),
        ("$map([1..10000], function($v) { $v })", 10_000),
        ("$sort([1..10000])", 10_000),
        ("$count($distinct([1..10000].{'a': $ % 100}))", 100_000),
        ("$length($pad('', 1000000))", 10_000),
        ("$count($split($pad('', 100000), ''))", 100_000),
        ("$contains($pad('', 100000, 'a') & 'b', /b$/)", 5_000),
        ("$replace($pad('', 10000, 'a'), /a/, 'b')", 10_000),
        ("$string([1..10000])", 10_000),
        ("[1..10000] = [1..10000]", 2_500),
        ("$count($spread($merge([1..1000].{$string($): $})))", 1_000),
        ("$formatInteger(1, $pad('', 100000, '0'))", 1_000),
        ("$encodeUrl($pad('', 1000000))", 10_000),
        ("$hash($pad('', 1000000), 'MD5')", 100_000),
    ] {
        let steps = steps_of(text);
        assert!(steps >= least, "{text} takes {steps} steps");
        assert_eq!(steps_of(text), steps, "{text}");
    }
}

#[test]
fn values_are_freed_with_their_evaluation() {
    let before = Expression::held();
    for text in [
        "($f := function($n) { $n <= 0 ? 0 : $f($n - 1) }; $f(1000))",
        "($f := function() { $g() }; $g := function() { 1 }; [$f, $g, function() { $f }]; $f())",
        "($m := $map(?, function($v) { $v }); $m([1..10]))",
        "($x := {'a': [1..1000]}; $x ~> |$|{'b': $$.x, 'c': $}|)",
        "($r := /a/; $r('aaa').next().next)",
        "$pad('', 100000) ~> $split('')",
        "1 + 'a'",
    ] {
        drop(evaluate(text, &Limits::AWS));
        assert_eq!(Expression::held(), before, "{text}");
    }
}

#[test]
fn what_is_nested_deeply_ends_by_a_bound() {
    for text in [
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $string($a))",
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $a = $a)",
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $boolean($a))",
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $a.b)",
        "($a := $reduce([1..200000], function($a, $v) { {'a': $a} }, 1); $a.**)",
        "($a := $reduce([1..200000], function($a, $v) { {'a': $a} }, 1); $clone($a))",
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $keys($a))",
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $spread($a))",
        "($a := $reduce([1..200000], function($a, $v) { [[$a]] }, 1); $sum($a))",
    ] {
        let error = evaluate(text, &Limits::AWS).err();
        assert!(
            error.is_none_or(|error| error.bound.is_some() || error.code.is_some()),
            "{text}"
        );
    }
    let deep = |open: &str, close: &str| open.repeat(100_000) + "1" + &close.repeat(100_000);
    for text in [
        deep("(", ")"),
        deep("[", "]"),
        deep("-", ""),
        deep("{'a':", "}"),
        deep("$f(", ")"),
        deep("1+", ""),
    ] {
        let expression = Expression::compile(&text).expect("it is too deep to be wrong");
        let error = expression.evaluate(Vec::new(), &Limits::AWS, Expression::held());
        assert_eq!(
            error.err().and_then(|error| error.bound),
            Some(Bound::Depth)
        );
    }
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        drop(Expression::compile(&text));
    }

    #[test]
    fn no_expression_makes_the_evaluator_panic(text in r#"([$a-c().\[\]{}'"/*+:=<>?|^%&,;~#@ 0-9-]|:=|~>|\.\.|function\(\$a\)\{|\$map|\$sum|\$match|\$string|\$each|and|in){0,30}"#) {
        if let Ok(expression) = Expression::compile(&text) {
            let limits = Limits { steps: 100_000, ..Limits::AWS };
            if let Ok(value) = expression.evaluate(Vec::new(), &limits, Expression::held()) {
                to_json(&value);
            }
        }
    }

    /// JSON text is an expression for its own value, up to the order of names and the digits of numbers.
    #[test]
    fn a_text_of_json_is_its_value(text in "[^\"\\\\\\x00-\\x1f]{0,20}", numbers in proptest::collection::vec(-1000..1000_i32, 0..5)) {
        let json = format!(r#"{{"t":"{text}","n":{numbers:?}}}"#).replace(", ", ",");
        let value = evaluate(&json, &Limits::AWS).expect("JSON");
        if !text.contains(", ") {
            prop_assert_eq!(to_json(&value), json);
        }
    }
}
