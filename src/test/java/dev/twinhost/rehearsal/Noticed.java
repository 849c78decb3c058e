package dev.twinhost.rehearsal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.twinhost.rehearsal.load.LoadResult;
import dev.twinhost.rehearsal.load.Request;
import dev.twinhost.rehearsal.site.HealthCheck;
import dev.twinhost.rehearsal.site.TargetGroup;
import java.time.Duration;
import java.time.Instant;
import java.util.List;

/** How long a host that has died may cost visitors requests: 1.1 × fall × (interval + timeout), as the template's checks say. */
final class Noticed {
    private Noticed() {}

    static Duration by(RunningSite site) {
        return site.rehearsal().site().balancer().targetGroups().stream()
                .map(TargetGroup::check)
                .map(Noticed::limit)
                .findFirst()
                .orElseThrow();
    }

    /** A machine died at this moment and that is all that visitors may have noticed; what was under way then is lost to it. */
    static void assertAllThatWasLost(RunningSite site, LoadResult result, Instant death) {
        assertThat(failuresBefore(result, death)).as("failures before").isEmpty();
        assertThat(result.failuresBetween(death.plus(by(site)), Instant.MAX))
                .as("failures when the balancer has noticed")
                .isEmpty();
    }

    /** Failures that were over before something happened. */
    static List<Request> failuresBefore(LoadResult result, Instant moment) {
        return result.failures().stream()
                .filter(request -> request.start().plus(request.took()).isBefore(moment))
                .toList();
    }

    private static Duration limit(HealthCheck check) {
        return Duration.ofMillis(1100L * check.fall() * (check.interval() + check.timeout()));
    }
}
