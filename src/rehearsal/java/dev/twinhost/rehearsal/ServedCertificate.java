package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.system.Command;
import dev.twinhost.rehearsal.system.Failure;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** What one host shows for one name, asked at the host's own address from where the balancer stands. */
final class ServedCertificate {
    private final Rehearsal rehearsal;
    private final Machine host;
    private final String name;

    ServedCertificate(Rehearsal rehearsal, Machine host, String name) {
        this.rehearsal = rehearsal;
        this.host = host;
        this.name = name;
    }

    /** Whether somebody who trusts the CA alone gets an answer that is not an error of the server. */
    boolean trusted() {
        Command.Result result = curl("--cacert", "/mnt/ca.pem", "-o", "/dev/null", "-w", "%{http_code}");
        return result.status() == 0 && !result.output().startsWith("5");
    }

    /** The certificate itself, trusted or not. */
    Optional<X509Certificate> certificate() {
        Command.Result result = curl("-k", "-o", "/dev/null", "-w", "%{certs}");
        int begin = result.output().indexOf("-----BEGIN CERTIFICATE-----");
        if (begin < 0) {
            return Optional.empty();
        }
        try {
            byte[] pem = result.output().substring(begin).getBytes(StandardCharsets.UTF_8);
            CertificateFactory factory = CertificateFactory.getInstance("X.509");
            return Optional.of((X509Certificate) factory.generateCertificate(new ByteArrayInputStream(pem)));
        } catch (CertificateException e) {
            throw new Failure("Host " + host.name() + " shows what is no certificate: " + e.getMessage(), e);
        }
    }

    private Command.Result curl(String... more) {
        List<String> fixed =
                List.of("-sS", "--connect-timeout", "2", "-m", "5", "--resolve", name + ":443:" + host.address());
        return rehearsal
                .curlAtBalancer(Stream.of(fixed, Arrays.asList(more), List.of("https://" + name + "/"))
                        .flatMap(List::stream)
                        .toList())
                .result();
    }
}
