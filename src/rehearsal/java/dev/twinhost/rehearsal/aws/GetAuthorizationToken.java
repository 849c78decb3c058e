package dev.twinhost.rehearsal.aws;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.twinhost.rehearsal.assembly.Place;
import dev.twinhost.rehearsal.machines.Machine;
import dev.twinhost.rehearsal.registry.EcrLogin;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;

/** Amazon ECR: a password for its registries, good for twelve hours. */
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
final class GetAuthorizationToken implements Action {
    private static final Duration GOOD = Duration.ofHours(12);

    private final Place place;
    private final EcrLogin login;

    GetAuthorizationToken(Place place, EcrLogin login) {
        this.place = place;
        this.login = login;
    }

    @Override
    public Answer perform(Machine caller, Map<String, String> parameters) {
        ObjectNode body = new ObjectMapper().createObjectNode();
        body.putArray("authorizationData")
                .addObject()
                .put("authorizationToken", login.token())
                .put("expiresAt", Instant.now().plus(GOOD).getEpochSecond())
                .put("proxyEndpoint", "https://" + place.account() + ".dkr.ecr." + place.region() + ".amazonaws.com");
        return Answer.text(200, "application/x-amz-json-1.1", body.toString());
    }
}
