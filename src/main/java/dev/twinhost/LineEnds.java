package dev.twinhost;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.SortedMap;

/**
 * Line ends of files for the machines. With those of Windows no script starts there, and the archive of a release differs
 * from the one of every other checkout; {@code .gitattributes} has Git check out none.
 */
final class LineEnds {
    private LineEnds() {}

    /**
     * @param files content by name; a file with a zero byte is none of text, as Git sees it
     * @throws IncompleteCheckout where one has a line that ends with CR LF
     */
    static void check(SortedMap<String, byte[]> files) {
        List<String> wrong = files.entrySet().stream()
                .filter(file -> isOfWindows(file.getValue()))
                .map(file -> file.getKey())
                .toList();
        if (!wrong.isEmpty()) {
            String others = wrong.size() == 1 ? "" : " (and " + (wrong.size() - 1) + " more)";
            throw new IncompleteCheckout(
                    wrong.get(0) + others,
                    "has the line ends of Windows, got CR LF, want LF alone",
                    "commit what is yours, then type: git rm -rq --cached docker nginx src && git checkout HEAD -- docker nginx"
                            + " src; clone and work inside WSL");
        }
    }

    private static boolean isOfWindows(byte[] content) {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        return text.contains("\r\n") && text.indexOf('\0') < 0;
    }
}
