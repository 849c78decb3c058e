package dev.twinhost;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.platform.commons.support.AnnotationSupport;

/** The programs of the machine that the tests run on: which there are, and which of them a fast test gets to see. */
final class Programs {
    static final String PATH = System.getenv("PATH");

    /** Needed to start a test at all, or on every Linux. */
    private static final Set<String> GIVEN = Set.of("javac", "mvn", "node", "npx", "nsenter", "unshare");

    private static final Pattern PACKAGE = Pattern.compile("(?<=[\\s(])([a-z][a-z0-9]*)=([a-z][a-z0-9.-]+)(?=[\\s)])");

    private Programs() {}

    /** The Debian package of each program that {@code bin/test} installs. */
    static Map<String, String> packages() {
        Map<String, String> packages = new LinkedHashMap<>();
        for (String script : new String[] {"bin/prepare.sh", "bin/test"}) {
            PACKAGE.matcher(read(Shell.CHECKOUT.resolve(script)))
                    .results()
                    .forEach(found -> packages.put(found.group(1), found.group(2)));
        }
        packages.keySet().removeAll(GIVEN);
        return packages;
    }

    static Optional<Path> find(String program, String path) {
        return folders(path)
                .map(folder -> folder.resolve(program))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /**
     * The path of the test that calls this: with every program for a test that needs root or hosts, otherwise without
     * those that {@code bin/test} installs and the test's class does not name in {@link Needs}.
     */
    static String path() {
        Optional<Class<?>> test = StackWalker.getInstance(StackWalker.Option.RETAIN_CLASS_REFERENCE)
                .walk(frames -> frames.<Class<?>>map(StackWalker.StackFrame::getDeclaringClass)
                        .filter(type -> type.getName().startsWith("dev.twinhost.")
                                && type.getName().endsWith("Test"))
                        .reduce((inner, outer) -> outer));
        return test.map(Programs::path).orElse(PATH);
    }

    private static String path(Class<?> test) {
        if (!AnnotationSupport.findRepeatableAnnotations(test, Tag.class).isEmpty()) {
            return PATH;
        }
        Set<String> hidden = new TreeSet<>(packages().keySet());
        Stream.concat(Stream.of(test), Arrays.stream(test.getDeclaredMethods()))
                .flatMap(element -> AnnotationSupport.findAnnotation(element, Needs.class).stream())
                .map(Needs::value)
                .map(Arrays::asList)
                .forEach(hidden::removeAll);
        return Shown.WITHOUT.computeIfAbsent(hidden, Programs::show);
    }

    /** Made once for each set of programs. */
    private static final class Shown {
        private static final Map<Set<String>, String> WITHOUT = new ConcurrentHashMap<>();
    }

    private static String show(Collection<String> hidden) {
        Path shown = SynthesisedTemplate.temporaryFolder("programs");
        folders(PATH).filter(Files::isDirectory).forEach(folder -> {
            try (Stream<Path> programs = Files.list(folder)) {
                for (Path program : (Iterable<Path>) programs.filter(Files::isExecutable)::iterator) {
                    Path link = shown.resolve(program.getFileName());
                    if (!hidden.contains(program.getFileName().toString())
                            && !Files.exists(link, LinkOption.NOFOLLOW_LINKS)) {
                        Files.createSymbolicLink(link, program);
                    }
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        });
        return shown.toString();
    }

    private static Stream<Path> folders(String path) {
        return Stream.of(path.split(File.pathSeparator))
                .filter(folder -> !folder.isEmpty())
                .map(Path::of);
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
