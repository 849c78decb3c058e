package dev.twinhost.diff;

import static java.util.Map.entry;

import java.util.Map;
import java.util.Set;

/**
 * What it means for the site that a resource of some type is replaced or deleted. What is not named here counts as a loss:
 * nobody has said yet that it holds nothing.
 */
final class Loss {
    private static final String UNKNOWN = "it is not known here whether it holds anything; find out before you merge";

    /** What every release makes anew. */
    private static final Set<String> OF_A_RELEASE =
            Set.of("AWS::CloudFormation::WaitCondition", "AWS::CloudFormation::WaitConditionHandle");

    /** What holds nothing, and CloudFormation makes before it deletes what was there. */
    private static final Set<String> NONE = Set.of(
            "AWS::CDK::Metadata",
            "AWS::CloudWatch::Alarm",
            "AWS::CloudWatch::Dashboard",
            "AWS::EC2::FlowLog",
            "AWS::EC2::InternetGateway",
            "AWS::EC2::LaunchTemplate",
            "AWS::EC2::Route",
            "AWS::EC2::RouteTable",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::SecurityGroupEgress",
            "AWS::EC2::SecurityGroupIngress",
            "AWS::EC2::SubnetRouteTableAssociation",
            "AWS::EC2::VPCEndpoint",
            "AWS::EC2::VPCGatewayAttachment",
            "AWS::Events::Rule",
            "AWS::IAM::InstanceProfile",
            "AWS::IAM::Policy",
            "AWS::Logs::MetricFilter",
            "AWS::SNS::TopicPolicy",
            "AWS::SSM::Association",
            "AWS::SSM::Document");

    private static final Map<String, String> OF = Map.ofEntries(
            entry(
                    "AWS::EFS::FileSystem",
                    "the site's memory: certificates, the account at the authority, the cluster record. A new one is empty, so"
                            + " the next machines found a new cluster, open a new account and order a new certificate. The old one"
                            + " stays in the AWS account; the setting `fileSystemId` brings a new stack back to it"),
            entry(
                    "AWS::EFS::MountTarget",
                    "the machines of a zone lose the shared storage, until there is another: what is served goes on being"
                            + " served, nothing is renewed or released. A file system takes one in each zone, so a replacement"
                            + " fails and is rolled back"),
            entry(
                    "AWS::EC2::VPC",
                    "the whole network, and all that stands in it, with the site down meanwhile: use another stack"),
            entry("AWS::EC2::Subnet", "all that stands in it is made again: machines, balancer, mount target"),
            entry("AWS::EC2::EIP", "its address changes, and others may have written it down"),
            entry(
                    "AWS::EC2::NatGateway",
                    "machines behind it reach nothing outside until there is another, by another address"),
            entry(
                    "AWS::AutoScaling::AutoScalingGroup",
                    "its machines go all at once, not one after another; where it is that of the hosts, the site is down"
                            + " meanwhile, where it is the witness's, the cluster stands without its majority"),
            entry(
                    "AWS::ElasticLoadBalancingV2::LoadBalancer",
                    "its name and addresses change: connections end, and names that were pointed to it by hand lead nowhere"),
            entry(
                    "AWS::ElasticLoadBalancingV2::TargetGroup",
                    "no host is registered in a new one until it is checked healthy there: requests fail meanwhile"),
            entry("AWS::ElasticLoadBalancingV2::Listener", "nothing answers on its port until there is another"),
            entry(
                    "AWS::Route53::RecordSet",
                    "the name leads nowhere until somebody makes another record, and resolvers remember that"),
            entry("AWS::Route53::HostedZone", "every name of the domain, and a new zone has other name servers"),
            entry("AWS::Logs::LogGroup", "what was logged: a new one begins empty"),
            entry(
                    "AWS::SSM::Parameter",
                    "what names the release that machines take at boot: they cannot boot without it"),
            entry(
                    "AWS::IAM::Role",
                    "who may do what: what was allowed to the old one elsewhere is not allowed to a new one"),
            entry("AWS::IAM::OIDCProvider", "the trust in GitHub: no workflow gets in until there is another"),
            entry(
                    "AWS::SNS::Topic",
                    "its subscriptions: each has to be confirmed again, and until then nobody is called"),
            entry("AWS::SNS::Subscription", "a new one has to be confirmed, and until then nobody is called"),
            entry("AWS::SecretsManager::Secret", "the secret itself"),
            entry("AWS::KMS::Key", "the key: what it has encrypted cannot be read without it"),
            entry("AWS::S3::Bucket", "what is in it"),
            entry("AWS::ECR::Repository", "the images in it"));

    private Loss() {}

    static boolean isOfARelease(String type) {
        return OF_A_RELEASE.contains(type);
    }

    static boolean isNone(String type) {
        return NONE.contains(type) || isOfARelease(type);
    }

    static boolean isKnown(String type) {
        return isNone(type) || OF.containsKey(type);
    }

    static String of(String type) {
        return OF.getOrDefault(type, UNKNOWN);
    }
}
