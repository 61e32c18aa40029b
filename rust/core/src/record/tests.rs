use proptest::prelude::*;

use super::field::Field;
use super::*;
use crate::error::Error;
use crate::msgpack::Reader;

/// A seeded generator of values.
pub struct Random(pub u64);

impl Random {
    /// SplitMix64.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn pick<T: Copy>(&mut self, values: &[T]) -> T {
        values[(self.bits() % values.len() as u64) as usize]
    }

    pub fn text(&mut self) -> &'static str {
        self.pick(&[
            "",
            "Succeeded",
            "/acme/prod/e0123abc/6553f1000000001f/0000000a",
            "States.TaskFailed",
            "quotes \" and \\ and \n and \u{7f} and \u{9b}31m and 東京",
            "0123456789012345678901234567890123456789 longer than a fixstr",
        ])
    }

    pub fn document(&mut self) -> &'static [u8] {
        self.pick(&[
            &b""[..],
            b"{}",
            b"{\"a\": [1, 2.50, -1e400, true, null],\n \"b\": \"x \\\" \\\\\"}",
            b"\"text with  two spaces\"",
            b"123456789012345678901234567890",
            "\"\u{9b}31m\"".as_bytes(),
            b"not JSON",
            b"\xff\x00",
        ])
    }
}

fn encode(record: &Record<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    record.write(&mut bytes);
    bytes
}

fn sample_turn(seed: u64) -> Turn<'static> {
    let mut random = Random(seed);
    Turn {
        scope: random.text(),
        timestamp: u64::sample(&mut random),
        time: i64::sample(&mut random),
        records: Record::samples(&mut random),
    }
}

#[test]
fn layouts_have_tags_of_their_own_and_events_answer_commands() {
    for layouts in [Record::LAYOUTS, Context::LAYOUTS] {
        assert!(layouts.is_sorted_by(|one, next| one.tag < next.tag));
    }
    let is_event = |layout: &&Layout| (64..127).contains(&layout.tag);
    for event in Record::LAYOUTS.iter().filter(is_event) {
        assert_eq!(event.fields, ["answers"]);
        assert!(
            Record::LAYOUTS
                .iter()
                .any(|command| command.tag + 64 == event.tag)
        );
    }
}

#[test]
fn fields_that_an_older_version_did_not_write_have_their_default() {
    let whole = Record::StartExecution {
        id: "x",
        workflow_id: "w",
        input: Document::Text(b"{}"),
        name: "n",
        r#type: "STANDARD",
        start_at: 0,
        parent_iteration_id: None,
        idempotent: false,
        synchronous: false,
        started_by: None,
        qualifier: "",
        trace_header: None,
    };
    let mut short = encode(&whole);
    short[0] = 0x95;
    short.truncate(1 + 1 + 2 + 2 + 4 + 2);
    assert_eq!(Record::read(&mut Reader::new(&short)).unwrap(), whole);
    short[0] = 0x94;
    short.truncate(short.len() - 2);
    let refused = Record::read(&mut Reader::new(&short)).unwrap_err();
    assert_eq!(refused.to_string(), "byte 0: tag 1 lacks the field name");
}

#[test]
fn fields_of_a_newer_version_are_skipped() {
    let mut bytes = encode(&Record::DeleteExecution {
        id: "x",
        remains: false,
        leaves_name: false,
    });
    bytes[0] = 0x98;
    bytes.extend(b"\x81\xa1k\x93\x01\xc0\xcb12345678");
    bytes.extend(b"\xc4\x02ab\xd4\x01z\xd9\x01t");
    bytes.push(0x2a);
    let mut reader = Reader::new(&bytes);
    let read = Record::read(&mut reader).unwrap();
    assert_eq!(
        read,
        Record::DeleteExecution {
            id: "x",
            remains: false,
            leaves_name: false,
        }
    );
    assert_eq!(reader.integer::<i64>().unwrap(), 42);
}

#[test]
fn an_unknown_tag_is_refused_with_its_place() {
    let mut bytes = encode(&Record::DeleteExecution {
        id: "x",
        remains: false,
        leaves_name: false,
    });
    let offset = bytes.len();
    bytes.extend([0x92, 0x3f, 0xa0]);
    let mut reader = Reader::new(&bytes);
    Record::read(&mut reader).unwrap();
    let refused = Record::read(&mut reader).unwrap_err();
    let Error::Record {
        offset: place,
        reason,
    } = refused
    else {
        panic!("{refused}");
    };
    assert_eq!(place, offset);
    assert!(reason.starts_with("tag 63 is not known here"), "{reason}");
}

#[test]
fn integers_have_the_shortest_encoding() {
    let cases: [(i64, &[u8]); 10] = [
        (0, b"\x00"),
        (127, b"\x7f"),
        (128, b"\xcc\x80"),
        (256, b"\xcd\x01\x00"),
        (65_536, b"\xce\x00\x01\x00\x00"),
        (1 << 32, b"\xcf\x00\x00\x00\x01\x00\x00\x00\x00"),
        (-32, b"\xe0"),
        (-33, b"\xd0\xdf"),
        (-129, b"\xd1\xff\x7f"),
        (i64::MIN, b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"),
    ];
    for (value, expected) in cases {
        let mut bytes = Vec::new();
        value.write(&mut bytes);
        assert_eq!(bytes, expected);
    }
}

#[test]
fn an_integer_of_another_range_is_refused() {
    for bytes in [&b"\xff"[..], b"\xd3\x80\x00\x00\x00\x00\x00\x00\x00"] {
        assert!(u64::read(&mut Reader::new(bytes)).is_err());
    }
    let bytes = b"\xcf\xff\xff\xff\xff\xff\xff\xff\xff";
    assert_eq!(u64::read(&mut Reader::new(bytes)).unwrap(), u64::MAX);
    assert!(i64::read(&mut Reader::new(bytes)).is_err());
}

#[test]
fn a_turn_is_shown_with_its_documents() {
    let text = b"{ \"price\": 1.50, \"name\": \"a \\\" b\" }";
    let turn = Turn {
        scope: "/t/n/e0123abc/6553f1000000001f",
        timestamp: 7,
        time: 1_000_000,
        records: vec![
            Record::StartBranch {
                branch_id: "b",
                index: 0,
                input: Document::Text(text),
            },
            Record::BranchStarted { answers: 0 },
            Record::StartBranch {
                branch_id: "b",
                index: 1,
                input: Document::Repeated,
            },
            Record::StartBranch {
                branch_id: "b",
                index: 2,
                input: Document::Text(b""),
            },
        ],
    };
    let head = |position| {
        format!(
            "{{\"position\":{position},\"epoch\":3,\"scope\":\"/t/n/e0123abc/6553f1000000001f\",\
             \"timestamp\":7,\"time\":1000000,\"record\":"
        )
    };
    let document = r#"{"price":1.50,"name":"a \" b"}"#;
    let start = |index, input| {
        format!("\"StartBranch\",\"branch_id\":\"b\",\"index\":{index},\"input\":{input}}}")
    };
    assert_eq!(
        turn.lines(3, 11),
        [
            head(11) + &start(0, document),
            head(12) + "\"BranchStarted\",\"answers\":0}",
            head(13) + &start(1, document),
            head(14) + &start(2, "null"),
        ]
    );
}

proptest! {
    #[test]
    fn every_record_and_row_is_read_back(seed: u64) {
        for record in Record::samples(&mut Random(seed)) {
            let bytes = encode(&record);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Record::read(&mut reader).unwrap(), record);
            prop_assert!(reader.is_at_end());
        }
        for row in Context::samples(&mut Random(seed)) {
            let mut bytes = Vec::new();
            row.write(&mut bytes);
            let mut reader = Reader::new(&bytes);
            prop_assert_eq!(Context::read(&mut reader).unwrap(), row);
            prop_assert!(reader.is_at_end());
        }
    }

    #[test]
    fn turns_are_read_back_and_shown_as_json_lines(seed: u64) {
        let written = [sample_turn(seed), sample_turn(!seed)];
        let mut bytes = Vec::new();
        written.iter().for_each(|turn| turn.write(&mut bytes));
        let read: Vec<_> = turns(&bytes).collect::<Result<_, _>>().unwrap();
        prop_assert_eq!(&read[..], &written[..]);
        for line in read[0].lines(1, 1) {
            prop_assert!(!line.contains(char::is_control));
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&line).is_ok();
            prop_assert!(is_json, "{}", line);
        }
        for row in Context::samples(&mut Random(seed)) {
            let is_json = serde_json::from_str::<serde::de::IgnoredAny>(&row.to_json()).is_ok();
            prop_assert!(is_json);
        }
    }

    #[test]
    fn a_cut_turn_is_refused(seed: u64, cut: prop::sample::Index) {
        let mut bytes = Vec::new();
        sample_turn(seed).write(&mut bytes);
        bytes.truncate(cut.index(bytes.len() - 1) + 1);
        prop_assert!(turns(&bytes).last().unwrap().is_err());
    }

    #[test]
    fn altered_bytes_are_read_or_refused(seed: u64, at: prop::sample::Index, byte: u8) {
        let mut bytes = Vec::new();
        sample_turn(seed).write(&mut bytes);
        let at = at.index(bytes.len());
        bytes[at] = byte;
        let _ = turns(&bytes).map(|turn| turn.map(|turn| turn.lines(0, 1))).last();
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = turns(&bytes).last();
        let _ = Record::read(&mut Reader::new(&bytes));
        let _ = Context::read(&mut Reader::new(&bytes));
        let _ = Reader::new(&bytes).skip(1);
    }
}
