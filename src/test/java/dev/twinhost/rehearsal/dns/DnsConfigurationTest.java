package dev.twinhost.rehearsal.dns;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.twinhost.rehearsal.SmallAssembly;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Failure;
import java.util.List;
import org.junit.jupiter.api.Test;

class DnsConfigurationTest {
    private static final List<String> BALANCER = List.of("198.51.100.80", "198.51.100.81");

    @Test
    void shouldAnswerTheTemplatesRecords() {
        Site site = new SmallAssembly().read();
        DnsConfiguration dns = new DnsConfiguration(site, BALANCER);
        String balancer = site.balancer().dnsName();
        assertThat(dns.hosts()).isEqualTo("""
                198.51.100.80 %1$s
                198.51.100.81 %1$s
                198.51.100.14 acme-v02.api.letsencrypt.org
                198.51.100.14 acme-staging-v02.api.letsencrypt.org
                198.51.100.80 example.com
                198.51.100.81 example.com
                """.formatted(balancer));
        assertThat(dns.text("10.42.0.2", DnsConfiguration.privateNames(site))).isEqualTo("""
                listen-address=10.42.0.2
                cname=www.example.com,%s
                synth-domain=eu-central-1.compute.internal,10.42.0.0/16,ip-
                """.formatted(balancer));
    }

    @Test
    void shouldSayWhichAuthorityMayIssue() {
        Site site = new SmallAssembly()
                .with(
                        "/Caa",
                        "{\"Type\": \"AWS::Route53::RecordSet\", \"Properties\": {\"Type\": \"CAA\", \"Name\": \"example.com.\","
                                + " \"ResourceRecords\": [\"0 issue \\\"letsencrypt.org\\\"\"]}}")
                .read();

        assertThat(new DnsConfiguration(site, BALANCER).text("10.42.0.2", List.of()))
                .contains("\ncaa-record=example.com,0,issue,letsencrypt.org\n");
    }

    @Test
    void shouldRefuseARecordThatLeadsWhereNobodyIs() {
        Site site = new SmallAssembly()
                .with("/Www/Properties/ResourceRecords", "[\"old.example.net\"]")
                .read();
        assertThatExceptionOfType(Failure.class)
                .isThrownBy(() -> new DnsConfiguration(site, BALANCER))
                .withMessage("AWS::Route53::RecordSet www.example.com: the rehearsal cannot play a record that leads to"
                        + " old.example.net, which it does not know");
    }
}
