import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Writes the names of Java's Unicode blocks or scripts, for src/regex/java/blocks.txt and scripts.txt:
 * java --add-opens java.base/java.lang=ALL-UNNAMED JavaUnicode.java blocks|scripts
 */
public class JavaUnicode {
    public static void main(String[] arguments) throws Exception {
        List<String> lines = arguments[0].equals("blocks") ? blocks() : scripts();
        lines.forEach(line -> System.out.print(line + "\n"));
    }

    /** A block a line: its first and last code point, a tab, its names in capital letters. */
    @SuppressWarnings("unchecked")
    static List<String> blocks() throws Exception {
        Field field = Character.UnicodeBlock.class.getDeclaredField("map");
        field.setAccessible(true);
        Map<Character.UnicodeBlock, TreeSet<String>> names = new java.util.HashMap<>();
        ((Map<String, Character.UnicodeBlock>) field.get(null))
                .forEach((name, block) -> names.computeIfAbsent(block, key -> new TreeSet<>()).add(name));
        List<String> lines = new ArrayList<>();
        Character.UnicodeBlock current = null;
        int start = 0;
        for (int point = 0; point <= 0x110000; point++) {
            Character.UnicodeBlock block = point > 0x10FFFF ? null : Character.UnicodeBlock.of(point);
            if (block != current) {
                if (current != null) {
                    lines.add(String.format("%04X-%04X\t%s", start, point - 1, String.join("|", names.get(current))));
                }
                current = block;
                start = point;
            }
        }
        return lines;
    }

    /** A script a line: its name and its ISO 15924 codes, in capital letters. */
    static List<String> scripts() {
        Map<String, TreeSet<String>> codes = new TreeMap<>();
        Arrays.stream(Character.UnicodeScript.values()).forEach(script -> codes.put(script.name(), new TreeSet<>()));
        char[] code = new char[4];
        for (int number = 0; number < 26 * 26 * 26 * 26; number++) {
            for (int place = 3, rest = number; place >= 0; place--, rest /= 26) {
                code[place] = (char) ('A' + rest % 26);
            }
            try {
                codes.get(Character.UnicodeScript.forName(new String(code)).name()).add(new String(code));
            } catch (IllegalArgumentException none) {
                continue;
            }
        }
        List<String> lines = new ArrayList<>();
        codes.forEach((name, aliases) -> lines.add((name + " " + String.join(" ", aliases)).trim()));
        return lines;
    }
}
