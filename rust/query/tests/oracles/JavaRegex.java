import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/**
 * Answers questions about regular expressions with java.util.regex. A question is a line: pattern, flags, text, each
 * escaped, with tabs between them. The answer is a line: "!" and the message of an error; else "=" if the whole text
 * matches or "~" if not, a blank, and "-" if nothing is found or the ends of the groups, "0-3 1-2 -". "?" stands for a
 * match that overflows the stack.
 */
public class JavaRegex {
    public static void main(String[] arguments) throws Exception {
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.ISO_8859_1));
        PrintStream answers = new PrintStream(System.out, false, "ISO-8859-1");
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            String[] parts = line.split("\t", -1);
            answers.print(answer(read(parts[0]), parts[1], read(parts[2])) + "\n");
        }
        answers.flush();
    }

    static String answer(String regex, String flags, String text) {
        try {
            Matcher matcher = Pattern.compile(regex, flagsOf(flags)).matcher(text);
            StringBuilder answer = new StringBuilder(matcher.matches() ? "=" : "~");
            matcher.reset();
            if (!matcher.find()) {
                return answer + " -";
            }
            for (int group = 0; group <= matcher.groupCount(); group++) {
                boolean isSet = matcher.start(group) >= 0;
                answer.append(isSet ? " " + matcher.start(group) + "-" + matcher.end(group) : " -");
            }
            return answer.toString();
        } catch (PatternSyntaxException error) {
            return "!" + write(error.getMessage());
        } catch (RuntimeException error) {
            return "!" + write(error.toString());
        } catch (StackOverflowError error) {
            return "?";
        }
    }

    static int flagsOf(String letters) {
        int flags = 0;
        for (char letter : letters.toCharArray()) {
            flags |= switch (letter) {
                case 'i' -> Pattern.CASE_INSENSITIVE;
                case 'd' -> Pattern.UNIX_LINES;
                case 'm' -> Pattern.MULTILINE;
                case 's' -> Pattern.DOTALL;
                case 'u' -> Pattern.UNICODE_CASE;
                case 'x' -> Pattern.COMMENTS;
                case 'U' -> Pattern.UNICODE_CHARACTER_CLASS;
                default -> throw new IllegalArgumentException("flag " + letter);
            };
        }
        return flags;
    }

    static String read(String text) {
        StringBuilder read = new StringBuilder();
        for (int i = 0; i < text.length(); i++) {
            if (text.charAt(i) == '\\') {
                read.append((char) Integer.parseInt(text.substring(i + 2, i + 6), 16));
                i += 5;
            } else {
                read.append(text.charAt(i));
            }
        }
        return read.toString();
    }

    static String write(String text) {
        StringBuilder written = new StringBuilder();
        for (char unit : text.toCharArray()) {
            boolean isPlain = unit >= ' ' && unit <= '~' && unit != '\\';
            written.append(isPlain ? String.valueOf(unit) : String.format("\\u%04x", (int) unit));
        }
        return written.toString();
    }
}
