package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.List;
import java.util.Map;
import software.amazon.awscdk.RemovalPolicy;
import software.amazon.awscdk.services.ec2.ISubnet;
import software.amazon.awscdk.services.ec2.SubnetSelection;
import software.amazon.awscdk.services.ec2.SubnetType;
import software.amazon.awscdk.services.efs.CfnMountTarget;
import software.amazon.awscdk.services.efs.FileSystem;
import software.amazon.awscdk.services.efs.FileSystemAttributes;
import software.amazon.awscdk.services.efs.IFileSystem;
import software.amazon.awscdk.services.iam.AnyPrincipal;
import software.amazon.awscdk.services.iam.Effect;
import software.amazon.awscdk.services.iam.PolicyDocument;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.constructs.Construct;
import software.constructs.DependencyGroup;
import software.constructs.IDependable;

/**
 * The site's memory: certificates, the ACME account, challenges, the keys of TLS session tickets and the cluster record, on
 * an EFS file system with a mount target in every zone. Nothing else on a host is worth keeping.
 *
 * <p>Encrypted at rest; in transit, because the file system's own policy denies every client without TLS, and it lets
 * nobody in without IAM. Backed up daily. It outlives its stack, except when its very creation fails.
 *
 * <p>Where the settings name a file system that exists, only the mount targets are made; its policy and its backups stay
 * what they are. It may have no mount target anywhere: those of one file system stand in one VPC, one in each zone.
 *
 * @see <a href="https://docs.aws.amazon.com/efs/latest/ug/manage-fs-access-create-delete-mount-targets.html">Mount
 *     targets</a>
 */
final class SharedStorage extends Construct {
    private static final List<String> MOUNT_AS_ROOT = List.of(
            "elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess");

    private final DependencyGroup mountTargets = new DependencyGroup();
    private final IFileSystem fileSystem;

    SharedStorage(Construct scope, String id, Settings settings, Network network) {
        super(scope, id);
        fileSystem = settings.fileSystemId()
                .map(existing -> mountExisting(existing, network))
                .orElseGet(() -> createFileSystem(network));
        mountTargets.add(fileSystem.getMountTargetsAvailable());
    }

    private IFileSystem createFileSystem(Network network) {
        return FileSystem.Builder.create(this, "FileSystem")
                .vpc(network.vpc())
                .vpcSubnets(
                        SubnetSelection.builder().subnetType(SubnetType.PUBLIC).build())
                .securityGroup(network.groups().storage())
                .encrypted(true)
                .enableAutomaticBackups(true)
                .removalPolicy(RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE)
                .fileSystemPolicy(onlyWithTls())
                // Keeps CDK's own statement out, which lets clients without IAM write. A policy without any
                // "Allow" leaves access to the roles that are granted it.
                .allowAnonymousAccess(true)
                .build();
    }

    private IFileSystem mountExisting(String existing, Network network) {
        for (ISubnet subnet : network.vpc().getPublicSubnets()) {
            mountTargets.add(CfnMountTarget.Builder.create(
                            this, "MountTarget-" + subnet.getNode().getId())
                    .fileSystemId(existing)
                    .subnetId(subnet.getSubnetId())
                    .securityGroups(List.of(network.groups().storage().getSecurityGroupId()))
                    .build());
        }
        return FileSystem.fromFileSystemAttributes(
                this,
                "FileSystem",
                FileSystemAttributes.builder()
                        .fileSystemId(existing)
                        .securityGroup(network.groups().storage())
                        .build());
    }

    private static PolicyDocument onlyWithTls() {
        return PolicyDocument.Builder.create()
                .statements(List.of(PolicyStatement.Builder.create()
                        .sid("OnlyWithTls")
                        .effect(Effect.DENY)
                        .principals(List.of(new AnyPrincipal()))
                        .actions(MOUNT_AS_ROOT)
                        .conditions(Map.of("Bool", Map.of("aws:SecureTransport", "false")))
                        .build()))
                .build();
    }

    /** Lets the machines mount the file system and write there as root, through a mount target. */
    PolicyStatement mountStatement() {
        return PolicyStatement.Builder.create()
                .sid("MountTheSharedStorage")
                .actions(MOUNT_AS_ROOT)
                .resources(List.of(fileSystem.getFileSystemArn()))
                .conditions(Map.of("Bool", Map.of("elasticfilesystem:AccessedViaMountTarget", "true")))
                .build();
    }

    IFileSystem fileSystem() {
        return fileSystem;
    }

    /** What has to be there before a machine can mount it. */
    IDependable mountTargets() {
        return mountTargets;
    }
}
