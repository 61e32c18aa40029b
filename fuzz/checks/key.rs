//! Keys of storage: any row's fields make a key without a panic, keys sort like their fields, and no key is
//! a prefix of another.

use stepwell_core::msgpack::Reader;
use stepwell_core::storage::keys::{self, Field, Layout, Value};

const LAYOUTS: i64 = 15;

pub fn check(bytes: &[u8]) {
    let Some((&tag, rest)) = bytes.split_first() else {
        return;
    };
    let layout = Layout::of(i64::from(tag) % LAYOUTS + 1).expect("a tag of the table");
    check_row(layout, rest);
    check_end(rest);
    let (Some(one), Some(other)) = (values(layout, rest, 0), values(layout, rest, 1)) else {
        return;
    };
    let (one_key, other_key) = (key(layout, &one), key(layout, &other));
    assert_eq!(one == other, one_key == other_key, "{one:?} {other:?}");
    if one != other {
        assert!(!one_key.starts_with(&other_key), "{one:?} {other:?}");
    }
    for length in 0..=one.len() {
        let mut prefix = Vec::new();
        // A prefix follows the key's order, which differs from the row's for some kinds: it may not fit.
        if layout.prefix(&one[..length], &mut prefix).is_ok() && has_row_order(layout) {
            let inside = one_key.starts_with(&prefix);
            assert!(
                inside || layout.fields[0] == Field::Within,
                "{one:?} {length}"
            );
            let end = keys::after_prefix(&prefix);
            assert!(!inside || end.is_none_or(|end| one_key < end));
        }
    }
    if has_row_order(layout) && layout.fields.iter().all(|field| *field == Field::Text) {
        assert_eq!(one_key.cmp(&other_key), texts(&one).cmp(&texts(&other)));
    }
}

/// The bytes as a row's: they are read or refused.
fn check_row(layout: &Layout, bytes: &[u8]) {
    let _ = layout.read_key(&mut Reader::new(bytes), &mut Vec::new());
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (execution, rest) = keys::split_id(text);
        assert!(text.starts_with(execution) && text.ends_with(rest));
    }
}

fn check_end(prefix: &[u8]) {
    let Some(end) = keys::after_prefix(prefix) else {
        return assert!(prefix.iter().all(|byte| *byte == 0xff));
    };
    assert!(end.as_slice() > prefix && !end.starts_with(prefix));
}

fn key(layout: &Layout, values: &[Value]) -> Vec<u8> {
    let mut key = Vec::new();
    layout
        .key(values, &mut key)
        .expect("values of the row's kinds");
    key
}

/// The fields of row number `which` in `bytes`: pieces between FF bytes.
fn values<'a>(layout: &Layout, bytes: &'a [u8], which: usize) -> Option<Vec<Value<'a>>> {
    let pieces = bytes.split(|byte| *byte == 0xff);
    let mut pieces = pieces.skip(which * layout.fields.len());
    let value = |field: &Field| match field {
        Field::Text => Some(Value::Text(std::str::from_utf8(pieces.next()?).ok()?)),
        // No part of an id is empty, and so none ends with a slash: `{execution}/` would be `{execution}`.
        Field::Within => {
            let id = std::str::from_utf8(pieces.next()?).ok()?;
            (!id.ends_with('/')).then_some(Value::Text(id))
        }
        Field::Number | Field::Newest => {
            let piece = pieces.next()?;
            let fold = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
            Some(Value::Number(piece.iter().fold(0, fold)))
        }
    };
    layout.fields.iter().map(value).collect()
}

fn has_row_order(layout: &Layout) -> bool {
    // The keys of timers begin with their due time, the row's last field.
    layout.tag != 6
}

fn texts<'a>(values: &[Value<'a>]) -> Vec<&'a str> {
    let text = |value: &Value<'a>| match value {
        Value::Text(text) => *text,
        Value::Number(_) => "",
    };
    values.iter().map(text).collect()
}
