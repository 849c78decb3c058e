package dev.twinhost.rehearsal.site;

import java.time.Duration;
import java.util.List;

/**
 * How CloudFormation replaces the machines of a group: its {@code AutoScalingRollingUpdate}.
 *
 * @param minInService how many machines run always
 * @param maxBatch how many are replaced at once
 * @param minSuccessPercent how many of the new machines have to signal success
 * @param waitsForSignals whether {@code pause} is the limit for a signal; otherwise it is waited for in any case
 * @param suspended processes of the group that rest meanwhile
 * @param keepsSizes whether the group's sizes stay what they have become where the template's have not changed: {@code
 *     AutoScalingScheduledAction}
 */
public record RollingUpdate(
        int minInService,
        int maxBatch,
        int minSuccessPercent,
        boolean waitsForSignals,
        Duration pause,
        List<String> suspended,
        boolean keepsSizes) {}
