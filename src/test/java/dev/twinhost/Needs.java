package dev.twinhost;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.extension.ConditionEvaluationResult.disabled;
import static org.junit.jupiter.api.extension.ConditionEvaluationResult.enabled;

import java.io.IOException;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;

/**
 * The programs that a fast test runs beside a JDK, Maven, Node and what every Linux has. Where one is missing the test is
 * left out, with a sentence that Maven prints at the end; with {@code CI=true} it fails with the same sentence.
 * {@link Shell} hides from a fast test what it does not name here.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Needs.Condition.class)
public @interface Needs {
    /** Programs, each of which {@code bin/test} installs. */
    String[] value();

    /** Leaves out what cannot run. */
    final class Condition implements ExecutionCondition {
        /** Shown by Maven when the tests have ended. */
        private static final Path LEFT_OUT = Path.of("target/left-out.txt");

        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            Optional<String> missing = context.getElement()
                    .flatMap(element -> AnnotationSupport.findAnnotation(element, Needs.class))
                    .flatMap(needs -> missing(needs.value(), Programs.PATH));
            if (missing.isEmpty()) {
                return enabled("Every program that it needs is there");
            }
            String sentence = context.getRequiredTestClass().getSimpleName()
                    + context.getTestMethod()
                            .map(method -> "." + method.getName())
                            .orElse("") + " " + missing.get();
            return judge(sentence, "true".equals(System.getenv("CI")));
        }

        static ConditionEvaluationResult judge(String sentence, boolean gate) {
            if (gate) {
                throw new IllegalStateException(sentence);
            }
            note(sentence);
            return disabled(sentence);
        }

        /** What to install, where something is missing. */
        static Optional<String> missing(String[] programs, String path) {
            Map<String, String> packages = Programs.packages();
            String missing = Stream.of(programs)
                    .filter(program -> Programs.find(program, path).isEmpty())
                    .map(program -> program + " (package " + packages.get(program) + ")")
                    .collect(joining(", "));
            return missing.isEmpty()
                    ? Optional.empty()
                    : Optional.of("needs " + missing + ": install it, or run bin/test");
        }

        private static void note(String sentence) {
            try {
                Files.writeString(
                        LEFT_OUT, "Left out: " + sentence + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
