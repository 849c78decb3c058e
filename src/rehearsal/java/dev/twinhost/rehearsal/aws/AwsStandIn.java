package dev.twinhost.rehearsal.aws;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.twinhost.rehearsal.balancer.RunningBalancer;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.machines.Machines;
import dev.twinhost.rehearsal.network.Fabric;
import dev.twinhost.rehearsal.registry.EcrLogin;
import dev.twinhost.rehearsal.release.Answers;
import dev.twinhost.rehearsal.release.Published;
import dev.twinhost.rehearsal.scaling.Groups;
import dev.twinhost.rehearsal.site.Site;
import dev.twinhost.rehearsal.system.Folders;
import dev.twinhost.rehearsal.system.StateFolder;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Plays AWS towards the machines: the metadata service and the few calls that they make. A process of its own in the
 * VPC's namespace. It knows of the rehearsal only what the state folder says, and who calls by the caller's address.
 */
public final class AwsStandIn {
    public static final String READY = "aws-ready";

    private final Machines machines;
    private final Metadata metadata;
    private final Api api;

    AwsStandIn(StateFolder state, Iam iam) {
        Site site = Site.read(state.assembly());
        CallLog log = new CallLog(state.awsCalls());
        machines = new Machines(state);
        Groups groups = new Groups(state);
        Published published = new Published(state);
        Access access = new Access(iam, published, machines);
        metadata = new Metadata(site, state, groups, access, log);
        api = new Api(
                site,
                published,
                new Secrets(state),
                new EcrLogin(state.registry()),
                new Answers(state),
                machines,
                groups,
                new RunningBalancer(state.balancer()),
                access,
                log);
    }

    /** Runs until it is killed. The arguments are the state folder and the working copy. */
    public static void main(String[] arguments) throws IOException {
        StateFolder state = new StateFolder(Path.of(arguments[0]));
        AwsStandIn standIn = new AwsStandIn(state, Iam.start(Path.of(arguments[1])));
        standIn.serveMetadata(new InetSocketAddress(Fabric.METADATA, 80));
        standIn.serveApi(new InetSocketAddress(Fabric.API, 80));
        Folders.write(state.root().resolve(READY), "");
    }

    HttpServer serveMetadata(InetSocketAddress address) throws IOException {
        return serve(address, metadata::answer);
    }

    HttpServer serveApi(InetSocketAddress address) throws IOException {
        return serve(address, api::answer);
    }

    private HttpServer serve(InetSocketAddress address, Service service) throws IOException {
        ExecutorService threads = Executors.newFixedThreadPool(8);
        HttpServer server = HttpServer.create(address, 64);
        server.setExecutor(threads);
        server.createContext("/", exchange -> {
            try (exchange) {
                send(exchange, answer(exchange, service));
            } catch (RuntimeException e) {
                e.printStackTrace();
            }
        });
        server.start();
        return server;
    }

    private Answer answer(HttpExchange exchange, Service service) throws IOException {
        String address = exchange.getRemoteAddress().getAddress().getHostAddress();
        Optional<Machine> caller = machines.at(address);
        if (caller.isEmpty()) {
            return Answer.plain(403, "No machine has the address " + address);
        }
        return service.answer(caller.get(), exchange);
    }

    private static void send(HttpExchange exchange, Answer answer) throws IOException {
        exchange.getResponseHeaders().set("Content-Type", answer.contentType());
        exchange.sendResponseHeaders(answer.status(), answer.body().length == 0 ? -1 : answer.body().length);
        if (answer.body().length > 0) {
            try (OutputStream body = exchange.getResponseBody()) {
                body.write(answer.body());
            }
        }
    }

    private interface Service {
        Answer answer(Machine caller, HttpExchange exchange) throws IOException;
    }
}
