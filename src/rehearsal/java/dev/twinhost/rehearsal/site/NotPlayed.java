package dev.twinhost.rehearsal.site;

import dev.twinhost.rehearsal.assembly.Resource;
import dev.twinhost.rehearsal.assembly.Template;
import dev.twinhost.rehearsal.assembly.Unplayable;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/** Types of resources that are knowingly not played, each with what therefore is not proved. Any other type is refused. */
public final class NotPlayed {
    /** Quoted in the README: whoever adds a line here adds it there. */
    public static final Map<String, String> REASONS = new TreeMap<>(Map.of(
            "AWS::CDK::Metadata", "says nothing about the site",
            "AWS::EC2::VPCEndpoint", "S3 is reached as every other service is: through the internet gateway",
            "AWS::EFS::MountTarget", "every machine reaches the file system; its security group is not asked",
            "AWS::Logs::LogGroup", "logs stay on the machines",
            "AWS::SSM::Association", "a release is started by the command of that name, not by Systems Manager",
            "AWS::SSM::Document", "a release is started by the command of that name, not by Systems Manager"));

    private static final Set<String> PLAYED = Set.of(
            "AWS::AutoScaling::AutoScalingGroup",
            "AWS::CloudFormation::WaitCondition",
            "AWS::CloudFormation::WaitConditionHandle",
            "AWS::EC2::EIP",
            "AWS::EC2::InternetGateway",
            "AWS::EC2::LaunchTemplate",
            "AWS::EC2::NatGateway",
            "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::Subnet",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::VPC",
            "AWS::EC2::VPCGatewayAttachment",
            "AWS::EFS::FileSystem",
            "AWS::ElasticLoadBalancingV2::Listener",
            "AWS::ElasticLoadBalancingV2::LoadBalancer",
            "AWS::ElasticLoadBalancingV2::TargetGroup",
            "AWS::IAM::InstanceProfile",
            "AWS::IAM::Policy",
            "AWS::IAM::Role",
            "AWS::Route53::RecordSet",
            "AWS::SSM::Parameter");

    private NotPlayed() {}

    static void refuseUnknown(Template template) {
        for (Resource resource : template.resources()) {
            if (!PLAYED.contains(resource.type()) && !REASONS.containsKey(resource.type())) {
                throw new Unplayable(resource, "a resource of this type");
            }
        }
    }

    /** The types among them that this template has. */
    public static Set<String> in(Template template) {
        Set<String> types = new TreeSet<>();
        template.resources().stream()
                .map(Resource::type)
                .filter(REASONS::containsKey)
                .forEach(types::add);
        return types;
    }
}
