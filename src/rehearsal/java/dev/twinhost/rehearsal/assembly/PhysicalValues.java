package dev.twinhost.rehearsal.assembly;

import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

/**
 * What {@code Ref} and {@code Fn::GetAtt} answer for the resources of the template, in the forms that AWS gives them.
 * An attribute that is not here is refused by name.
 */
final class PhysicalValues {
    private final Place place;
    private final Intrinsics intrinsics;

    PhysicalValues(Place place, Intrinsics intrinsics) {
        this.place = place;
        this.intrinsics = intrinsics;
    }

    String reference(Resource resource) {
        return switch (resource.type()) {
            case "AWS::EC2::VPC" -> id("vpc", resource);
            case "AWS::EC2::Subnet" -> id("subnet", resource);
            case "AWS::EC2::RouteTable" -> id("rtb", resource);
            case "AWS::EC2::InternetGateway" -> id("igw", resource);
            case "AWS::EC2::NatGateway" -> id("nat", resource);
            case "AWS::EC2::SecurityGroup" -> id("sg", resource);
            case "AWS::EC2::LaunchTemplate" -> id("lt", resource);
            case "AWS::EC2::VPCEndpoint" -> id("vpce", resource);
            case "AWS::EFS::FileSystem" -> id("fs", resource);
            case "AWS::EFS::MountTarget" -> id("fsmt", resource);
            case "AWS::ElasticLoadBalancingV2::LoadBalancer" ->
                balancing("loadbalancer/net/" + shortName(resource), resource);
            case "AWS::ElasticLoadBalancingV2::TargetGroup" ->
                balancing("targetgroup/" + shortName(resource), resource);
            case "AWS::ElasticLoadBalancingV2::Listener" -> balancing("listener/net/" + shortName(resource), resource);
            case "AWS::SSM::Parameter" -> "CFN-" + resource.id() + "-" + suffix(resource);
            case "AWS::SSM::Association" -> PhysicalId.uuid(name(resource));
            case "AWS::CloudFormation::WaitConditionHandle" -> answerUrl(resource);
            default -> place.stackName() + "-" + resource.id() + "-" + suffix(resource);
        };
    }

    String attribute(Resource resource, String attribute) {
        String arnOrId = reference(resource);
        return switch (resource.type() + "." + attribute) {
            case "AWS::EC2::VPC.VpcId",
                    "AWS::EC2::Subnet.SubnetId",
                    "AWS::EC2::RouteTable.RouteTableId",
                    "AWS::EC2::InternetGateway.InternetGatewayId",
                    "AWS::EC2::SecurityGroup.GroupId",
                    "AWS::EC2::LaunchTemplate.LaunchTemplateId",
                    "AWS::EFS::FileSystem.FileSystemId",
                    "AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerArn",
                    "AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupArn",
                    "AWS::ElasticLoadBalancingV2::Listener.ListenerArn",
                    "AWS::SSM::Association.AssociationId" -> arnOrId;
            case "AWS::EC2::VPC.CidrBlock", "AWS::EC2::Subnet.CidrBlock" -> property(resource, "CidrBlock");
            case "AWS::EC2::Subnet.AvailabilityZone" -> property(resource, "AvailabilityZone");
            case "AWS::EC2::SecurityGroup.VpcId" -> property(resource, "VpcId");
            case "AWS::EC2::LaunchTemplate.LatestVersionNumber", "AWS::EC2::LaunchTemplate.DefaultVersionNumber" -> "1";
            case "AWS::EFS::FileSystem.Arn" -> place.arn("elasticfilesystem", "file-system/" + arnOrId);
            case "AWS::ElasticLoadBalancingV2::LoadBalancer.DNSName" ->
                shortName(resource) + "-" + digits(resource) + ".elb." + place.region() + ".amazonaws.com";
            case "AWS::ElasticLoadBalancingV2::LoadBalancer.CanonicalHostedZoneID" ->
                "Z" + digits(resource).toUpperCase(Locale.ROOT);
            case "AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerName",
                    "AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupName" -> shortName(resource);
            case "AWS::ElasticLoadBalancingV2::LoadBalancer.LoadBalancerFullName" ->
                "net/" + shortName(resource) + "/" + digits(resource);
            case "AWS::ElasticLoadBalancingV2::TargetGroup.TargetGroupFullName" ->
                "targetgroup/" + shortName(resource) + "/" + digits(resource);
            case "AWS::IAM::Role.Arn" -> iam("role/" + arnOrId);
            case "AWS::IAM::InstanceProfile.Arn" -> iam("instance-profile/" + arnOrId);
            case "AWS::Logs::LogGroup.Arn" -> place.arn("logs", "log-group:" + arnOrId + ":*");
            case "AWS::SSM::Parameter.Value" -> property(resource, "Value");
            case "AWS::SSM::Parameter.Type" -> property(resource, "Type");
            default -> throw new Unplayable(resource, "its attribute " + attribute);
        };
    }

    /** As CloudFormation signs it, another one for every deploy that makes the handle; it leads to the stand-in. */
    private String answerUrl(Resource resource) {
        return "http://" + Place.API + "/cloudformation-waitcondition-" + place.region() + "/"
                + URLEncoder.encode(place.stackArn(), StandardCharsets.UTF_8) + "/" + resource.id() + "?X-Amz-Date="
                + place.deploy() + "&X-Amz-Expires=86399&X-Amz-Signature="
                + PhysicalId.digits(name(resource) + "/" + place.deploy(), 64);
    }

    private String balancing(String what, Resource resource) {
        return place.arn("elasticloadbalancing", what + "/" + digits(resource));
    }

    private String iam(String what) {
        return "arn:aws:iam::" + place.account() + ":" + what;
    }

    private String property(Resource resource, String name) {
        return intrinsics.resolve(resource, resource.properties().path(name)).asText();
    }

    /** As CloudFormation shortens names for Elastic Load Balancing: six characters of the stack, six of the resource. */
    private String shortName(Resource resource) {
        return start(place.stackName()) + "-" + start(resource.id()) + "-" + suffix(resource);
    }

    private static String start(String text) {
        return text.substring(0, Math.min(6, text.length()));
    }

    private String id(String prefix, Resource resource) {
        return PhysicalId.resource(prefix, name(resource));
    }

    private String digits(Resource resource) {
        return PhysicalId.digits(name(resource), 16);
    }

    private String suffix(Resource resource) {
        return PhysicalId.suffix(name(resource));
    }

    private String name(Resource resource) {
        return place.stackName() + "/" + resource.id();
    }
}
