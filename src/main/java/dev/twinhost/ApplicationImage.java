package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import software.amazon.awscdk.Annotations;
import software.amazon.awscdk.services.ec2.InstanceArchitecture;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ecr.assets.DockerImageAsset;
import software.amazon.awscdk.services.ecr.assets.Platform;
import software.amazon.awscdk.services.iam.PolicyStatement;
import software.constructs.Construct;

/**
 * The image of the application: the reference in the settings, or a folder, which the deploy builds for the hosts'
 * architecture and pushes to the repository for images that {@code cdk bootstrap} has made. Building is the deploy's
 * affair: to synthesise, no Docker is needed.
 *
 * <p>What a reference is to a folder has the account and the region in it, which only CloudFormation knows. So the
 * release's settings name the image by its content's hash, and the release parameter says where it is.
 */
final class ApplicationImage extends Construct {
    /** What stands before the hash in the settings, which refuse an image reference that begins so. */
    static final String ASSET = "asset:";

    private final Optional<String> reference;
    private final Optional<String> referencedRepository;
    private final Optional<DockerImageAsset> asset;

    ApplicationImage(Construct scope, String id, Settings settings, Path checkout) {
        super(scope, id);
        reference = settings.appImage();
        referencedRepository = settings.appRepositoryArn();
        asset = settings.appFolder().map(folder -> createAsset(settings, checkout.resolve(folder)));
    }

    private DockerImageAsset createAsset(Settings settings, Path folder) {
        boolean arm = new InstanceType(settings.instanceType()).getArchitecture() == InstanceArchitecture.ARM_64;
        Platform platform = arm ? Platform.LINUX_ARM64 : Platform.LINUX_AMD64;
        Annotations.of(this)
                .addInfoV2(
                        "twinhost:appImage",
                        "appImage is a folder: where this is deployed from, a Docker engine has to run that builds for "
                                + platform.getPlatform() + " (on a machine of another architecture through emulation, "
                                + "as Docker Desktop brings it).");
        return DockerImageAsset.Builder.create(this, "Asset")
                .directory(folder.toAbsolutePath().normalize().toString())
                .platform(platform)
                .displayName("Twinhost application")
                .build();
    }

    /** For the settings of the release: a reference, a hash, or nothing. */
    String name() {
        return asset.map(image -> ASSET + image.getAssetHash())
                .or(() -> reference)
                .orElse("");
    }

    /** Where the image of a folder is, for the release parameter. */
    Optional<String> uri() {
        return asset.map(DockerImageAsset::getImageUri);
    }

    /** Lets a machine pull the image where its registry is ECR; the login is for no registry in particular. */
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerregistry.html
    List<PolicyStatement> pullStatements() {
        List<PolicyStatement> statements = new ArrayList<>();
        Optional<String> repositoryArn =
                asset.map(image -> image.getRepository().getRepositoryArn()).or(() -> referencedRepository);
        repositoryArn.ifPresent(repository -> {
            statements.add(PolicyStatement.Builder.create()
                    .sid("LogInToRegistries")
                    .actions(List.of("ecr:GetAuthorizationToken"))
                    .resources(List.of("*"))
                    .build());
            statements.add(PolicyStatement.Builder.create()
                    .sid("PullTheApplication")
                    .actions(List.of(
                            "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"))
                    .resources(List.of(repository))
                    .build());
        });
        return statements;
    }
}
