//! Compares the regular expressions with V8 and java.util.regex.
//!
//! ```text
//! cargo run --release -p stepwell-query --example regex_differential -- java 50000 --seed 1 --show 20
//! cargo run --release -p stepwell-query --example regex_differential -- ecmascript 1500 --seed 7 --save FILE
//! cargo run --release -p stepwell-query --example regex_differential -- java --again FILE
//! ```
//!
//! The first makes up patterns and texts, asks Node or Java, and shows what differs. With `--save` it
//! writes questions and right answers into a file; `--again` asks for the answers of such a file once more.

mod generate;
#[path = "../../tests/oracles/questions.rs"]
mod questions;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, ExitCode, Stdio};

use questions::{Question, answer_of, escape};
use stepwell_query::regex::Dialect;

struct Options {
    dialect: Dialect,
    count: usize,
    seed: u64,
    show: usize,
    save: Option<String>,
    again: Option<String>,
}

fn options() -> Option<Options> {
    let mut arguments = std::env::args().skip(1);
    let dialect = match arguments.next()?.as_str() {
        "java" => Dialect::Java,
        "ecmascript" => Dialect::EcmaScript,
        _ => return None,
    };
    let mut options = Options {
        dialect,
        count: 1000,
        seed: 1,
        show: 10,
        save: None,
        again: None,
    };
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--seed" => options.seed = arguments.next()?.parse().ok()?,
            "--show" => options.show = arguments.next()?.parse().ok()?,
            "--save" => options.save = arguments.next(),
            "--again" => options.again = arguments.next(),
            count => options.count = count.parse().ok()?,
        }
    }
    Some(options)
}

fn main() -> ExitCode {
    let Some(options) = options() else {
        eprintln!(
            "usage: regex_differential java|ecmascript [COUNT] [--seed N] [--show N] [--save FILE] [--again FILE]"
        );
        return ExitCode::FAILURE;
    };
    match compare(&options) {
        Ok(0) => ExitCode::SUCCESS,
        Ok(_) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn compare(options: &Options) -> std::io::Result<usize> {
    let questions = match &options.again {
        Some(file) => questions::read(&std::fs::read_to_string(file)?)
            .into_iter()
            .map(|(question, _)| question)
            .collect(),
        None => generate::questions(options.dialect, options.count, options.seed),
    };
    let right = ask(options.dialect, &questions)?;
    let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
    for (question, right) in questions.iter().zip(&right) {
        let ours = answer_of(question, options.dialect);
        let kind = kind_of(&ours, &lossy(right));
        let count = kinds.entry(kind).or_default();
        *count += 1;
        if kind != "equal" && *count <= options.show {
            let pattern = escape(&question.pattern);
            let text = escape(&question.text);
            println!(
                "{kind}: /{pattern}/{} on \"{text}\"\n  right {right}\n  ours  {ours}",
                question.flags
            );
        }
    }
    println!("{kinds:?}");
    if let Some(file) = options.save.as_ref().or(options.again.as_ref()) {
        let lines: Vec<String> = questions
            .iter()
            .zip(&right)
            .filter(|(question, right)| is_in_scope(question, right))
            .map(|(question, right)| format!("{}\t{}\n", question.line(), lossy(right)))
            .collect();
        std::fs::write(file, lines.concat())?;
    }
    Ok(questions.len() - kinds.get("equal").copied().unwrap_or(0))
}

/// Whether a question is kept: not one that overflows Java's stack, meets a defect of Java's (an exception
/// of another kind), or is about `\N{…}` and `\b{g}`, which we do not claim to have as Java has them.
fn is_in_scope(question: &Question, right: &str) -> bool {
    let pattern = String::from_utf16_lossy(&question.pattern);
    let is_ours = !pattern.contains("\\N") && !pattern.contains("\\b{g}");
    is_ours && right != "?" && !right.starts_with("!java.")
}

/// A message in which halves of surrogate pairs are replaced, as ours are texts of Rust.
fn lossy(answer: &str) -> String {
    match answer.strip_prefix('!') {
        Some(message) => {
            let text = String::from_utf16_lossy(&questions::unescape(message));
            format!("!{}", escape(&text.encode_utf16().collect::<Vec<_>>()))
        }
        None => answer.to_owned(),
    }
}

fn kind_of(ours: &str, right: &str) -> &'static str {
    match (ours.starts_with('!'), right.starts_with('!')) {
        _ if ours == right => "equal",
        _ if right == "?" || ours == "?" => "too long",
        (true, false) => "refused",
        (false, true) => "accepted",
        (true, true) => "message",
        _ => {
            let place = |answer: &str| {
                answer
                    .split(' ')
                    .take_while(|part| matches!(*part, "=" | "~"))
                    .count()
            };
            let whole = |answer: &str| {
                answer
                    .split(' ')
                    .take(place(answer) + 1)
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            if whole(ours) == whole(right) {
                "groups"
            } else {
                "match"
            }
        }
    }
}

/// The oracle's answers.
fn ask(dialect: Dialect, questions: &[Question]) -> std::io::Result<Vec<String>> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/oracles");
    let mut command = match dialect {
        Dialect::EcmaScript => {
            let mut command = Command::new("node");
            command.arg(format!("{folder}/EcmaScriptRegex.js"));
            command
        }
        Dialect::Java => {
            let mut command = Command::new("java");
            command
                .arg("-Xss64m")
                .arg(format!("{folder}/JavaRegex.java"));
            command
        }
    };
    let mut oracle = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let lines: String = questions
        .iter()
        .map(|question| question.line() + "\n")
        .collect();
    let stdin = oracle.stdin.take();
    let writer = std::thread::spawn(move || {
        stdin.map_or(Ok(()), |mut stdin| stdin.write_all(lines.as_bytes()))
    });
    let output = oracle.wait_with_output()?;
    writer
        .join()
        .map_err(|_| std::io::Error::other("the writer failed"))??;
    let answers: Vec<String> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect();
    if answers.len() != questions.len() {
        return Err(std::io::Error::other(
            "the oracle did not answer each question",
        ));
    }
    Ok(answers)
}
