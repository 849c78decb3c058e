package dev.twinhost.rehearsal.site;

import dev.twinhost.rehearsal.assembly.Intrinsics;
import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import java.time.Duration;
import java.util.Optional;

/**
 * What a deploy waits for at its end: an answer of a machine.
 *
 * @param deploy the deploy that has made its handle
 * @param url where the answer is put
 * @param limit of the wait
 */
public record WaitCondition(String id, String deploy, String url, Duration limit) {
    /** None where the deploy waits for nothing. */
    static Optional<WaitCondition> read(Template template, Intrinsics intrinsics, String deploy) {
        if (template.ofType("AWS::CloudFormation::WaitCondition").isEmpty()) {
            return Optional.empty();
        }
        Resource resource = template.only("AWS::CloudFormation::WaitCondition");
        Resource handle = template.only("AWS::CloudFormation::WaitConditionHandle");
        Properties condition = new Properties(intrinsics, resource);
        condition.oneOf("Count", "1", "1");
        String url = condition.oneOf("Handle", "", intrinsics.idOf(handle));
        int seconds = condition.number("Timeout", 0);
        condition.end();
        return Optional.of(new WaitCondition(resource.id(), deploy, url, Duration.ofSeconds(seconds)));
    }
}
