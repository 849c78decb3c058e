package dev.twinhost;

import static java.util.stream.Collectors.joining;
import static org.junit.jupiter.api.extension.ConditionEvaluationResult.disabled;
import static org.junit.jupiter.api.extension.ConditionEvaluationResult.enabled;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.platform.commons.support.AnnotationSupport;
import org.junit.platform.launcher.LauncherSession;
import org.junit.platform.launcher.LauncherSessionListener;

/**
 * The programs, and packages of npm, that a fast test runs beside a JDK, Maven, Node and what every Linux has. Where one is missing the test is
 * left out, with a sentence that is printed when the tests have ended; with {@code CI=true} it fails with the same sentence.
 * {@link Shell} hides from a fast test what it does not name here.
 */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(Needs.Condition.class)
public @interface Needs {
    /** What the CDK's command line is. */
    String CDK = "./node_modules";

    /** What only tests run on Node, such as what judges calls as IAM does. */
    String TEST_MODULES = "src/test/node/node_modules";

    /** Programs and folders of packages of npm, each of which {@code bin/test} installs. */
    String[] value();

    /** Leaves out what cannot run. */
    final class Condition implements ExecutionCondition {
        private static final Set<String> LEFT_OUT = new ConcurrentSkipListSet<>();

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
            LEFT_OUT.add(sentence);
            return disabled(sentence);
        }

        /** What to install, where something is missing. */
        static Optional<String> missing(String[] programs, String path) {
            Map<String, String> packages = Programs.packages();
            String missing = Stream.of(programs)
                    .filter(program -> program.contains("/")
                            ? Files.notExists(Shell.CHECKOUT.resolve(program))
                            : Programs.find(program, path).isEmpty())
                    .map(program -> program.contains("/")
                            ? program + " (npm ci --prefix " + Path.of(program).getParent() + ")"
                            : program + " (package " + packages.get(program) + ")")
                    .collect(joining(", "));
            return missing.isEmpty()
                    ? Optional.empty()
                    : Optional.of("needs " + missing + ": install it, or run bin/test");
        }
    }

    /** Prints, when the tests of a process have ended, what was left out there. */
    final class Report implements LauncherSessionListener {
        @Override
        public void launcherSessionClosed(LauncherSession session) {
            Condition.LEFT_OUT.forEach(sentence -> System.out.println("Left out: " + sentence));
        }
    }
}
