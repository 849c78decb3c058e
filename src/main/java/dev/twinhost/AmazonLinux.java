package dev.twinhost;

import java.util.Map;
import software.amazon.awscdk.ContextProvider;
import software.amazon.awscdk.GetContextValueOptions;
import software.amazon.awscdk.Stack;
import software.amazon.awscdk.services.ec2.AmazonLinux2023ImageSsmParameter;
import software.amazon.awscdk.services.ec2.AmazonLinux2023ImageSsmParameterProps;
import software.amazon.awscdk.services.ec2.AmazonLinux2023Kernel;
import software.amazon.awscdk.services.ec2.AmazonLinuxCpuType;
import software.amazon.awscdk.services.ec2.IMachineImage;
import software.amazon.awscdk.services.ec2.InstanceArchitecture;
import software.amazon.awscdk.services.ec2.InstanceType;
import software.amazon.awscdk.services.ec2.MachineImage;
import software.constructs.Construct;

/**
 * The image of the machines, Amazon Linux 2023 for the architecture of their type.
 *
 * <p>With an account known it is looked up once and kept in {@code cdk.context.json}: hosts are replaced when somebody
 * wants a newer image, not when AWS publishes one. Without, CloudFormation takes the newest at every deploy.
 */
final class AmazonLinux {
    // Stands in for the image until the lookup has been made. CDK's own stand-in is no image id, which the validation
    // of the template refuses before the command line can look anything up.
    private static final String NOT_LOOKED_UP_YET = "ami-00000000000000000";

    private AmazonLinux() {}

    static IMachineImage image(Construct scope, InstanceType type, boolean accountKnown) {
        boolean arm = type.getArchitecture() == InstanceArchitecture.ARM_64;
        AmazonLinux2023ImageSsmParameterProps props = AmazonLinux2023ImageSsmParameterProps.builder()
                .kernel(AmazonLinux2023Kernel.KERNEL_6_1)
                .cpuType(arm ? AmazonLinuxCpuType.ARM_64 : AmazonLinuxCpuType.X86_64)
                .cachedInContext(false)
                .build();
        return accountKnown
                ? lookedUp(scope, AmazonLinux2023ImageSsmParameter.ssmParameterName(props))
                : new AmazonLinux2023ImageSsmParameter(props);
    }

    private static IMachineImage lookedUp(Construct scope, String parameterName) {
        Object image = ContextProvider.getValue(
                        scope,
                        GetContextValueOptions.builder()
                                .provider("ssm")
                                .props(Map.of("parameterName", parameterName))
                                .dummyValue(NOT_LOOKED_UP_YET)
                                .build())
                .getValue();
        return MachineImage.genericLinux(Map.of(Stack.of(scope).getRegion(), image.toString()));
    }
}
