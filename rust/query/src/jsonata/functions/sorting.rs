//! `$sort`, and the merge sort that order-by uses too.

use super::argument;
use crate::jsonata::error::{Answer, Fault};
use crate::jsonata::evaluator::Evaluator;
use crate::jsonata::operators::is_numeric;
use crate::jsonata::value::Value;

/// Whether the first of two items comes after the second.
pub type ComesAfter<'c, T> = dyn FnMut(&mut Evaluator, &T, &T) -> Answer<bool> + 'c;

pub fn is_array_of_numbers(items: &[Value]) -> Answer<bool> {
    // jsonata-js looks at all of them, and refuses infinity wherever it stands.
    let mut all = true;
    for item in items {
        all &= is_numeric(item)?;
    }
    Ok(all)
}

/// The items of an array in another order; the array itself where it has no two.
pub fn reordered(
    evaluator: &mut Evaluator,
    value: &Value,
    reorder: impl FnOnce(&mut Evaluator, Vec<Value>) -> Answer<Vec<Value>>,
) -> Answer {
    let Value::Array(items) = value else {
        return Ok(Value::Undefined);
    };
    if items.len() <= 1 {
        return Ok(value.clone());
    }
    evaluator.budget.items(items.len())?;
    reorder(evaluator, items.to_vec()).map(Value::array)
}

pub fn sort(evaluator: &mut Evaluator, arguments: &[Value]) -> Answer {
    let comparator = argument(arguments, 1);
    reordered(evaluator, argument(arguments, 0), |evaluator, items| {
        sorted(evaluator, items, comparator)
    })
}

fn sorted(evaluator: &mut Evaluator, items: Vec<Value>, comparator: &Value) -> Answer<Vec<Value>> {
    match comparator {
        Value::Undefined => {
            let are_texts = items.iter().all(|item| item.as_text().is_some());
            if !is_array_of_numbers(&items)? && !are_texts {
                return Err(Fault::new("D3070"));
            }
            merge_sort(evaluator, items, &mut |_, one, other| {
                Ok(is_greater(one, other))
            })
        }
        Value::Function(function) if function.is_object() => {
            Err(Fault::uncoded("comp is not a function"))
        }
        comparator => merge_sort(evaluator, items, &mut |evaluator, one, other| {
            let arguments = vec![one.clone(), other.clone()];
            Ok(evaluator
                .call_js("comp", comparator, arguments)?
                .is_truthy())
        }),
    }
}

fn is_greater(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Text(one), Value::Text(other)) => one > other,
        (one, other) => match (one.as_number(), other.as_number()) {
            (Some(one), Some(other)) => one > other,
            _ => false,
        },
    }
}

/// Sorts as jsonata-js does: stable, with the same comparisons in the same order.
pub fn merge_sort<T>(
    evaluator: &mut Evaluator,
    items: Vec<T>,
    comes_after: &mut ComesAfter<T>,
) -> Answer<Vec<T>> {
    if items.len() <= 1 {
        return Ok(items);
    }
    let mut left = items;
    let right = left.split_off(left.len() / 2);
    let left = merge_sort(evaluator, left, comes_after)?;
    let right = merge_sort(evaluator, right, comes_after)?;
    evaluator.budget.items(left.len() + right.len())?;
    let mut merged = Vec::with_capacity(left.len() + right.len());
    let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
    while let (Some(one), Some(other)) = (left.peek(), right.peek()) {
        evaluator.budget.spend(1)?;
        let is_swapped = comes_after(evaluator, one, other)?;
        merged.extend(if is_swapped {
            right.next()
        } else {
            left.next()
        });
    }
    merged.extend(left);
    merged.extend(right);
    Ok(merged)
}
