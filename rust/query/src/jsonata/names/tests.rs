//! Tests of the names that an expression reads.

use super::*;

fn names(text: &str) -> Names {
    crate::jsonata::Expression::compile(text)
        .unwrap_or_else(|error| panic!("{text}: {error}"))
        .names()
        .clone()
}

/// AWS names these in "Reference to '…' at the top level is not supported." (measured, floci #2670).
#[test]
fn a_name_read_from_the_context_item_is_listed() {
    for text in [
        "phone",
        "phone[0].number",
        "phone.number.street",
        "-phone",
        "phone ? 1 : 2",
        "$states.input.a ? phone : 2",
        "phone & 'x'",
        "phone in $states.input.b",
        "$sum(phone)",
        "phone(1)",
        "phone ~> $string()",
        "[1..phone]",
        "(phone)",
        "(phone).other",
        "[phone].other",
        "[phone, 1]",
        "{phone: 1}",
        "($x := phone; $x)",
        "$map($states.input.a, function($y){ phone })",
        "$count(phone[inner])",
        "phone.**.deeper",
    ] {
        assert_eq!(names(text).context, ["phone"], "{text}");
    }
    for text in [
        "$",
        "$.phone",
        "$[0]",
        "$string($)",
        "$map($states.input.a, function($x){ $ })",
    ] {
        assert_eq!(names(text).context, ["$"], "{text}");
    }
    assert_eq!(names("[bbb, aaa]").context, ["bbb", "aaa"]);
    assert_eq!(names("aaa + aaa").context, ["aaa"]);
    assert_eq!(names("$number(aaa) + $number(bbb)").context, ["aaa", "bbb"]);
}

/// AWS accepts these (measured, floci #2670).
#[test]
fn a_name_read_from_a_value_is_nothing_from_outside() {
    for text in [
        "$states.input.phone",
        "$states.input.a[0].phone",
        "$states.input.items[phone > 3]",
        "$states.input.a^(phone)",
        "$states.input.a{'k': phone}",
        "$states.input.a.(phone)",
        "$states.input.a.$phone",
        "$phone",
        "$states.input.a ~> $string()",
        "$states.input ~> |phone|{'b': 1}|",
        "**.phone",
        "{'k': 1}.phone",
        "$states.input.a[0][phone]",
        "$states.input.a[$ > 1]",
        "function($x){ $x.phone }",
        "$map($states.input.a, function($x){ $x.phone })",
        "'phone'",
        "1 + 1",
        "$now()",
    ] {
        assert!(names(text).context.is_empty(), "{text}");
    }
}

#[test]
fn the_root_is_listed_wherever_it_stands() {
    for text in ["$$", "$$.phone", "$states.input.a[$$.b]"] {
        assert!(names(text).root, "{text}");
    }
    assert!(!names("$states.input").root);
}

#[test]
fn variables_are_those_that_the_expression_does_not_bind_where_it_reads_them() {
    for (text, free) in [
        (
            "($x := $a; $map($b, function($v, $i) { $v + $i + $c })) & $states.input.d",
            &["a", "b", "c", "map"][..],
        ),
        ("function($x){ $x }(2) & $x", &["x"]),
        ("$x & function($x){ $x }(2)", &["x"]),
        ("function($x){ $x }(2)", &[]),
        ("($x := $x + 1; $x)", &["x"]),
        ("($x := 1; $x)", &[]),
        ("(($x := 1); $x)", &["x"]),
        ("($x := $y := 1; $x + $y)", &[]),
        ("($a ? $x := 1; $x)", &["a", "x"]),
        ("($x; $x := 1)", &["x"]),
        ("($f := function($n){ $f($n - 1) }; $f(3))", &[]),
        (
            "($f := function(){ $g() }; $g := function(){ $f() }; $f())",
            &[],
        ),
        ("($f := function(){ $x }; $x := 1; $f())", &["x"]),
        ("[1]#$i & $i", &["i"]),
        ("a#$i.($i)", &[]),
        ("a@$x.b[$x = $y]", &["y"]),
        ("a.b@$x{ $x: $x }", &[]),
        ("a@$x^($x).($x)", &[]),
        ("a[b = 1]#$i[$i = $j]", &["j"]),
        ("a[$i = 1]#$i", &["i"]),
        ("[1]@$x.$x", &["x"]),
        ("$ ~> |a|{ 'k': $x }, $y|", &["x", "y"]),
        ("($x := 1; $ ~> |a|{ 'k': $x }|)", &[]),
    ] {
        let found = names(text);
        let found: Vec<_> = found.variables.iter().map(String::as_str).collect();
        assert_eq!(found, free, "{text}");
    }
}

#[test]
fn only_the_parts_of_states_that_are_read_are_listed() {
    let found =
        names("$states.input.a.b & $states.input.c[d = 1].e & $states.context.Execution.Id");
    let input = found.states.field("input").expect("input is read");
    assert_eq!(
        input.field("a").and_then(|a| a.field("b")),
        Some(&Use::Whole)
    );
    assert_eq!(input.field("c"), Some(&Use::Whole));
    assert_eq!(input.field("z"), None);
    assert!(found.states.field("context").is_some());
    assert_eq!(found.states.field("result"), None);
    assert_eq!(names("$states").states, Use::Whole);
    assert_eq!(names("$states.*").states, Use::Whole);
    assert_eq!(names("$states.input.a.%.b").states, Use::Whole);
}
