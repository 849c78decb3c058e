package dev.twinhost;

import dev.twinhost.settings.Settings;
import java.util.List;
import software.amazon.awscdk.Duration;
import software.amazon.awscdk.services.elasticloadbalancingv2.NetworkLoadBalancer;
import software.amazon.awscdk.services.route53.ARecord;
import software.amazon.awscdk.services.route53.CaaRecord;
import software.amazon.awscdk.services.route53.CaaRecordValue;
import software.amazon.awscdk.services.route53.CaaTag;
import software.amazon.awscdk.services.route53.CfnRecordSet;
import software.amazon.awscdk.services.route53.CnameRecord;
import software.amazon.awscdk.services.route53.HostedZone;
import software.amazon.awscdk.services.route53.HostedZoneAttributes;
import software.amazon.awscdk.services.route53.IHostedZone;
import software.amazon.awscdk.services.route53.RecordTarget;
import software.amazon.awscdk.services.route53.targets.LoadBalancerTarget;
import software.constructs.Construct;

/**
 * The site's names: the apex and the extra names in its zone as aliases of the load balancer (an apex can be no CNAME),
 * {@code www} as a CNAME. Where it is wanted, a CAA record at the apex, which binds every name of the zone.
 *
 * <p>The hosted zone has to exist. The records are weighted, so that they can stand beside those of another host
 * while a site moves in. Both need the same set identifier as long as the site lives: another one is another record.
 */
final class SiteRecords extends Construct {
    private static final String SET_IDENTIFIER = "twinhost";

    /** As which Let's Encrypt reads such a record: https://letsencrypt.org/docs/caa/. */
    private static final String AUTHORITY = "letsencrypt.org";

    SiteRecords(Construct scope, String id, Settings settings, NetworkLoadBalancer balancer) {
        super(scope, id);
        IHostedZone zone = zone(settings);
        alias("Apex", settings.domain(), zone, settings, balancer);
        CnameRecord.Builder.create(this, "Www")
                .zone(zone)
                .recordName(settings.www())
                .domainName(balancer.getLoadBalancerDnsName())
                .ttl(Duration.seconds(60))
                .weight(settings.dnsWeight())
                .setIdentifier(SET_IDENTIFIER)
                .build();
        settings.extraDomains().stream()
                .filter(settings::isInZone)
                .forEach(name -> alias("Extra-" + name, name, zone, settings, balancer));
        if (settings.caa()) {
            CaaRecord.Builder.create(this, "Caa")
                    .zone(zone)
                    .recordName(settings.domain())
                    .values(List.of(CaaRecordValue.builder()
                            .flag(0)
                            .tag(CaaTag.ISSUE)
                            .value(AUTHORITY)
                            .build()))
                    .build();
        }
    }

    /** CDK puts {@code dualstack.} before the name of any balancer; AWS has that name for the other kinds alone. */
    // https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-to-elb-load-balancer.html,
    // https://github.com/aws/aws-cdk/issues/16987
    private void alias(String id, String name, IHostedZone zone, Settings settings, NetworkLoadBalancer balancer) {
        ARecord record = ARecord.Builder.create(this, id)
                .zone(zone)
                .recordName(name)
                .target(RecordTarget.fromAlias(new LoadBalancerTarget(balancer)))
                .weight(settings.dnsWeight())
                .setIdentifier(SET_IDENTIFIER)
                .build();
        ((CfnRecordSet) record.getNode().getDefaultChild())
                .addPropertyOverride("AliasTarget.DNSName", balancer.getLoadBalancerDnsName());
    }

    private IHostedZone zone(Settings settings) {
        return settings.hostedZoneId()
                .map(zoneId -> HostedZone.fromHostedZoneAttributes(
                        this,
                        "Zone",
                        HostedZoneAttributes.builder()
                                .hostedZoneId(zoneId)
                                .zoneName(settings.domain())
                                .build()))
                .orElseGet(() -> HostedZoneLookUp.zone(this, "Zone", settings.domain()));
    }
}
