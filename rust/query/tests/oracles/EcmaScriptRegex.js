// Answers questions about regular expressions with V8. A question is a line: pattern, flags, text, each escaped, with
// tabs between them. The answer is a line: "!" and the message of an error; "-" for no match; else the ends of the
// groups, "0-3 1-2 -".
const read = (text) => text.replace(/\\u([0-9a-f]{4})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
const write = (text) =>
  text.replace(/[^ -\[\]-~]/g, (unit) => "\\u" + unit.charCodeAt(0).toString(16).padStart(4, "0"));

function answer(pattern, flags, text) {
  try {
    new RegExp(pattern, flags + "g");
  } catch (error) {
    return "!" + write(error.message);
  }
  const match = new RegExp(pattern, flags + "dg").exec(text);
  return match === null ? "-" : match.indices.map((ends) => (ends ? ends.join("-") : "-")).join(" ");
}

const lines = require("fs").readFileSync(0, "latin1").split("\n");
const answers = lines.slice(0, -1).map((line) => answer(...line.split("\t").map(read)));
process.stdout.write(answers.map((line) => line + "\n").join(""));
