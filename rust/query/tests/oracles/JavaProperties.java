import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Writes which of the characters that differ in any property classes of java.util.regex match: for each class of standard input, a line: "!" if it does
 * not compile, else their number, a tab and a checksum (the class, flags after a tab, comes first).
 */
public class JavaProperties {
    public static void main(String[] arguments) throws Exception {
        for (String line : new String(System.in.readAllBytes(), "UTF-8").split("\n")) {
            String[] parts = line.split("\t", -1);
            System.out.print(line + "\t" + answer(parts[0], parts[1]) + "\n");
        }
    }

    static String answer(String regex, String flags) {
        Pattern pattern;
        try {
            pattern = Pattern.compile(regex, JavaFlags.of(flags));
        } catch (RuntimeException error) {
            return "!";
        }
        var matcher = pattern.matcher("");
        long count = 0;
        long sum = 0;
        for (int point = 0; point <= 0x10FFFF; point++) {
            if (isAsked(point) && matcher.reset(new String(Character.toChars(point))).matches()) {
                count++;
                sum = sum * 31 + point & 0xFFFFFFFFFFFFL;
            }
        }
        return count + "\t" + sum;
    }

    /** Not the long ranges of private and unassigned characters, which are all alike. */
    static boolean isAsked(int point) {
        return point < 0x34000 || (point >= 0xE0000 && point < 0xE0200) || (point & 0xFFFF) >= 0xFFF0;
    }
}

class JavaFlags {
    static int of(String letters) {
        int flags = letters.contains("i") ? Pattern.CASE_INSENSITIVE : 0;
        flags |= letters.contains("u") ? Pattern.UNICODE_CASE : 0;
        return letters.contains("U") ? flags | Pattern.UNICODE_CHARACTER_CLASS : flags;
    }
}
