package dev.twinhost;

import java.util.List;
import software.amazon.awscdk.services.iam.IRole;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.amazon.awscdk.services.iam.Role;
import software.amazon.awscdk.services.iam.ServicePrincipal;
import software.amazon.awscdk.services.logs.ILogGroup;
import software.constructs.Construct;

/**
 * What the machines may do in AWS: be reached with Session Manager and run the release's document, read their stack's
 * releases, mount the shared storage, see their own health at the load balancer, and log. Their groups add that they
 * may signal to the stack.
 *
 * <p>For Systems Manager it holds what AWS's managed policy has for these two purposes, written out, because that
 * policy also reads every parameter in the account. Its only other action on {@code *} is one that AWS lets nobody
 * narrow down.
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
        role.addToPolicy(storage.mountStatement());
        release.readStatements().forEach(role::addToPolicy);
        allow(
                "Log",
                List.of("logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"),
                logs.getLogGroupArn());
    }

    private void allow(String sid, List<String> actions, String resource) {
        role.addToPolicy(PolicyStatement.Builder.create()
                .sid(sid)
                .actions(actions)
                .resources(List.of(resource))
                .build());
    }

    IRole role() {
        return role;
    }
}
