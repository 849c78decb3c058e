package dev.twinhost;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectPackage;

import java.io.IOException;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestTag;
import org.junit.platform.engine.support.descriptor.ClassSource;
import org.junit.platform.engine.support.descriptor.MethodSource;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.TestPlan;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.tagexpression.TagExpression;

/**
 * Which tests run where: {@code mvn verify} runs the fast ones, {@code bin/test} the gate, {@code bin/test --all} all.
 *
 * <p>The executions and their tags are those of {@code pom.xml}, the tests those that JUnit itself finds.
 */
class TiersTest {
    private static final TestTag EXTENDED = TestTag.create("extended");
    private static final TestTag REHEARSAL = TestTag.create("rehearsal");
    private static final TestTag ROOT = TestTag.create("root");

    /** Shown in the gate, whatever else moves to the longer run: the core of what is promised. */
    private static final List<String> CORE = List.of(
            "SiteUpTest.shouldServeOneCertificateForAllNamesFromBothHosts",
            "LostHostTest.shouldNoticeTheLossOfAPlainHostInTimeAndReplaceItAtItsOwnAddress",
            "RollTest.shouldReplaceEveryMachineWithoutALostRequestOrALostQuorum",
            "ReleaseInPlaceTest.shouldRefuseAWrongNginxFile",
            "ReleaseInPlaceTest.shouldRollBackAnApplicationThatNeverBecomesHealthy",
            "LostQuorumTest.shouldRebuildAroundTheSurvivingHostWhenTheLeaderAndTheWitnessDie");

    /** What Surefire takes for a class of tests: https://maven.apache.org/surefire/maven-surefire-plugin/test-mojo.html#includes. */
    private static final Pattern INCLUDED = Pattern.compile(".*\\.(Test\\w*|\\w*Tests?|\\w*TestCase)");

    private static final Pattern EXECUTION =
            Pattern.compile("(?s)<execution>\\s*<id>(\\w+(?:-\\w+)?)</id>(?:(?!</execution>).)*</execution>");

    /** Tags of each test, by class and method. */
    private static final Map<String, Collection<TestTag>> TESTS = new LinkedHashMap<>();

    /** Classes with tests, by their full names. */
    private static final List<String> CLASSES = new ArrayList<>();

    private static final Map<String, Execution> EXECUTIONS = new LinkedHashMap<>();

    private record Execution(TagExpression groups, TagExpression excluded) {
        boolean runs(Collection<TestTag> tags) {
            return groups.evaluate(tags) && !excluded.evaluate(tags);
        }
    }

    @BeforeAll
    static void discover() throws IOException {
        TestPlan plan = LauncherFactory.create()
                .discover(LauncherDiscoveryRequestBuilder.request()
                        .selectors(selectPackage("dev.twinhost"))
                        .build());
        plan.getRoots().stream()
                .flatMap(root -> plan.getDescendants(root).stream())
                .forEach(TiersTest::note);
        String pom = Files.readString(Shell.CHECKOUT.resolve("pom.xml"));
        EXECUTION
                .matcher(pom.substring(pom.indexOf("maven-surefire-plugin")))
                .results()
                .filter(execution -> execution.group().contains("roups>"))
                .forEach(execution -> EXECUTIONS.put(execution.group(1), read(execution)));
    }

    private static void note(TestIdentifier found) {
        found.getSource()
                .filter(MethodSource.class::isInstance)
                .map(MethodSource.class::cast)
                .ifPresent(method ->
                        TESTS.put(simple(method.getClassName()) + '.' + method.getMethodName(), found.getTags()));
        found.getSource()
                .filter(ClassSource.class::isInstance)
                .map(ClassSource.class::cast)
                .ifPresent(source -> CLASSES.add(source.getClassName()));
    }

    private static Execution read(MatchResult execution) {
        return new Execution(
                tags(execution.group(), "groups", "any() | none()"),
                tags(execution.group(), "excludedGroups", "nothing"));
    }

    /** As Surefire reads them: a comma is an "or". */
    private static TagExpression tags(String execution, String element, String otherwise) {
        String written = Pattern.compile('<' + element + ">(.*)</" + element + '>')
                .matcher(execution)
                .results()
                .map(found -> found.group(1)
                        .replace("&amp;", "&")
                        .replace(",${excludedGroups}", "")
                        .replace(",", " | "))
                .findFirst()
                .orElse(otherwise);
        return TagExpression.parseFrom(written).tagExpressionOrThrow(message -> new IllegalStateException(message));
    }

    private static String simple(String className) {
        return className.substring(className.lastIndexOf('.') + 1);
    }

    @Test
    void shouldRunEveryTestInOneExecution() {
        assertThat(EXECUTIONS).containsOnlyKeys("default-test", "root", "rehearsal", "trouble");
        assertThat(TESTS)
                .hasSizeGreaterThan(CORE.size())
                .allSatisfy((test, tags) -> assertThat(EXECUTIONS.values())
                        .as("%s, tagged %s: the executions of pom.xml that run it", test, tags)
                        .filteredOn(execution -> execution.runs(tags))
                        .hasSize(1));
    }

    @Test
    void shouldNameClassesSoThatTheyAreFound() {
        assertThat(CLASSES).isNotEmpty().allMatch(name -> INCLUDED.matcher(name).matches());
    }

    @Test
    void shouldShowTheCoreOfWhatIsPromisedInTheGate() {
        assertThat(TESTS).containsKeys(CORE.toArray(String[]::new));
        assertThat(CORE)
                .allSatisfy(test -> assertThat(TESTS.get(test))
                        .as("the tags of %s", test)
                        .contains(REHEARSAL)
                        .doesNotContain(EXTENDED));
    }

    @Test
    void shouldLeaveToTheLongerRunOnlyWhatNeedsHostsOrRoot() {
        assertThat(TESTS.entrySet())
                .filteredOn(test -> test.getValue().contains(EXTENDED))
                .isNotEmpty()
                .allMatch(test ->
                        test.getValue().contains(REHEARSAL) || test.getValue().contains(ROOT));
    }
}
