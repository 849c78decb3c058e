package dev.twinhost.rehearsal;

import dev.twinhost.rehearsal.machines.Machine;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** The certificate's renewal, without waiting for its day. */
@Command(
        name = "renew",
        description =
                "Has certbot renew the certificate now, where it runs; ends when every host that runs serves the new one,"
                        + " and prints how many seconds after its issue each did.",
        mixinStandardHelpOptions = true)
final class RenewCommand implements Callable<Integer> {
    @Override
    public Integer call() {
        Rehearsal rehearsal = Rehearse.running();
        Progress progress = new Progress(System.out);
        Renewal renewal = Renewal.of(rehearsal);
        progress.say("certbot renews on host " + renewal.host().name());
        Map<Machine, Duration> served = renewal.run(Renewal.hosts(rehearsal));
        served.forEach((host, time) -> progress.say(String.format(
                Locale.ROOT,
                "  host %s serves the new certificate %.1f s after its issue",
                host.name(),
                time.toMillis() / 1000.0)));
        progress.say("Every host serves the new certificate.");
        return 0;
    }
}
