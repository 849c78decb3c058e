package dev.twinhost.diff;

import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Which changes have CloudFormation replace machines, one after the other, as the update policy of their groups wants it.
 * It does so where a group's launch template, launch configuration, subnets or placement group change:
 * https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-updatepolicy.html. A group that is
 * itself replaced is a {@link Loss}.
 */
final class Machines {
    private static final String GROUP = "AWS::AutoScaling::AutoScalingGroup";

    /** The user data, the image, the instance type and whatever else machines are launched with. */
    private static final Set<String> LAUNCH =
            Set.of("AWS::EC2::LaunchTemplate", "AWS::AutoScaling::LaunchConfiguration");

    /** Properties of the group; the mixed instances policy names a launch template as well. */
    private static final Set<String> ROLLING = Set.of(
            "LaunchTemplate", "LaunchConfigurationName", "MixedInstancesPolicy", "VPCZoneIdentifier", "PlacementGroup");

    /**
     * What launch templates and groups refer to by an id. Where one is replaced, they change by its new id, which the CDK
     * command line does not show: it follows a replacement only through properties that replace in turn.
     */
    private static final Set<String> REFERRED_TO = Set.of(
            "AWS::EC2::PlacementGroup", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::IAM::InstanceProfile");

    private Machines() {}

    static List<ResourceChange> replacedBy(List<ResourceChange> changes) {
        return changes.stream()
                .filter(change -> change.sign() == '~')
                .filter(change -> LAUNCH.contains(change.type())
                        || change.type().equals(GROUP)
                                && !change.impact().isDestructive()
                                && !Collections.disjoint(change.properties(), ROLLING))
                .toList();
    }

    /** What is replaced and may be something that machines are launched with. */
    static List<ResourceChange> perhapsReplacedBy(List<ResourceChange> changes) {
        return changes.stream()
                .filter(change -> REFERRED_TO.contains(change.type()))
                .filter(change -> change.impact() == Impact.REPLACE || change.impact() == Impact.MAY_REPLACE)
                .toList();
    }
}
