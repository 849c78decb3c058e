package dev.twinhost.rehearsal;

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

    /** Failures that were over before something happened; what was under way at that moment may be lost to it. */
    static List<Request> failuresBefore(LoadResult result, Instant moment) {
        return result.failures().stream()
                .filter(request -> request.start().plus(request.took()).isBefore(moment))
                .toList();
    }

    private static Duration limit(HealthCheck check) {
        return Duration.ofMillis(1100L * check.fall() * (check.interval() + check.timeout()));
    }
}
