package dev.twinhost;

import java.util.List;
import java.util.Map;
import software.amazon.awscdk.ArnComponents;
import software.amazon.awscdk.ArnFormat;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.logs.ILogGroup;
import software.constructs.Construct;

/**
 * What the machines may do in AWS: be reached with Session Manager and run the release's document, read their stack's
 * releases, mount the shared storage, see their own health at the load balancer, see their groups and have them replace
 * a machine or let one go, publish the site's metrics, log, and signal to their stack, which they call by its name. (Their
 * groups add the same for the stack's id.)
 *
 * <p>For Systems Manager it holds what AWS's managed policy has for these two purposes, written out, because that
 * policy also reads every parameter in the account. Its only other actions on {@code *} are some that AWS lets nobody
 * narrow down: to see groups and targets, and to log in to registries; metrics are narrowed down by their namespace. The role comes before the groups, so it knows them by their tag, which no machine may write.
 */
final class MachineRole extends Construct {
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html
    private static final List<String> SESSIONS = List.of(
            "ssm:UpdateInstanceInformation",
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel");
    private static final List<String> ASSOCIATIONS = List.of(
            "ec2messages:AcknowledgeMessage",
            "ec2messages:DeleteMessage",
            "ec2messages:FailMessage",
            "ec2messages:GetEndpoint",
            "ec2messages:GetMessages",
            "ec2messages:SendReply",
            "ssm:DescribeAssociation",
            "ssm:DescribeDocument",
            "ssm:GetDocument",
            "ssm:ListAssociations",
            "ssm:ListInstanceAssociations",
            "ssm:PutComplianceItems",
            "ssm:UpdateAssociationStatus",
            "ssm:UpdateInstanceAssociationStatus");

    private final Role role;

    MachineRole(Construct scope, String id, SharedStorage storage, SiteRelease release, ILogGroup logs) {
        super(scope, id);
        role = Role.Builder.create(this, "Role")
                .description("The machines of the Swarm")
                .assumedBy(new ServicePrincipal("ec2.amazonaws.com"))
                .build();
        allow("BeReachedBySessionManager", SESSIONS, "*");
        allow("RunTheReleaseDocument", ASSOCIATIONS, "*");
        allow("SeeTargetHealth", List.of("elasticloadbalancing:DescribeTargetHealth"), "*");
        allow("SeeTheGroups", List.of("autoscaling:DescribeAutoScalingGroups"), "*");
        role.addToPolicy(changeTheGroups());
        role.addToPolicy(publishMetrics());
        role.addToPolicy(storage.mountStatement());
        release.readStatements().forEach(role::addToPolicy);
        allow("Log", List.of("logs:CreateLogStream", "logs:PutLogEvents"), logs.getLogGroupArn());
        allow("SignalToTheStackByItsName", List.of("cloudformation:SignalResource"), stackByName());
    }

    /**
     * What CloudFormation asks IAM about where a call names the stack by its name: literally a star in the place of the
     * id, which the stack's own ARN does not cover.
     */
    // https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-iam-template.html ("on the stack name"), and
    // the
    // error message of just this action: https://github.com/awslabs/ecs-refarch-continuous-deployment/issues/21
    private String stackByName() {
        Stack stack = Stack.of(this);
        return stack.formatArn(ArnComponents.builder()
                .service("cloudformation")
                .resource("stack")
                .resourceName(stack.getStackName() + "/*")
                .build());
    }

    private void allow(String sid, List<String> actions, String resource) {
        role.addToPolicy(PolicyStatement.Builder.create()
                .sid(sid)
                .actions(actions)
                .resources(List.of(resource))
                .build());
    }

    /** Both actions take groups as resources and the tags of a group as a condition; the group has a random id in its ARN. */
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2autoscaling.html
    private PolicyStatement changeTheGroups() {
        Stack stack = Stack.of(this);
        return PolicyStatement.Builder.create()
                .sid("ReplaceMachinesOfThisStack")
                .actions(List.of("autoscaling:CompleteLifecycleAction", "autoscaling:SetInstanceHealth"))
                .resources(List.of(stack.formatArn(ArnComponents.builder()
                        .service("autoscaling")
                        .resource("autoScalingGroup")
                        .resourceName("*:autoScalingGroupName/*")
                        .arnFormat(ArnFormat.COLON_RESOURCE_NAME)
                        .build())))
                .conditions(Map.of(
                        "StringEquals",
                        Map.of("autoscaling:ResourceTag/" + SwarmHosts.STACK_TAG, stack.getStackName())))
                .build();
    }

    /** The action takes no resources; what can be named is the namespace, which is called like the stack. */
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/iam-cw-condition-keys-namespace.html
    private PolicyStatement publishMetrics() {
        return PolicyStatement.Builder.create()
                .sid("PublishMetricsOfThisStack")
                .actions(List.of("cloudwatch:PutMetricData"))
                .resources(List.of("*"))
                .conditions(Map.of(
                        "StringEquals",
                        Map.of("cloudwatch:namespace", Stack.of(this).getStackName())))
                .build();
    }

    IRole role() {
        return role;
    }
}
