package dev.twinhost;

import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.ClassDescriptor;
import org.junit.jupiter.api.ClassOrderer;
import org.junit.jupiter.api.ClassOrdererContext;
import org.junit.jupiter.api.Tag;

/** Runs fast test classes before those tagged {@code root}, and those before the ones tagged {@code rehearsal}. */
public final class CheapestFirst implements ClassOrderer {
    private static final List<String> DEAR = List.of("root", "rehearsal");

    @Override
    public void orderClasses(ClassOrdererContext context) {
        context.getClassDescriptors().sort(Comparator.comparingInt(CheapestFirst::cost));
    }

    private static int cost(ClassDescriptor descriptor) {
        return descriptor.findRepeatableAnnotations(Tag.class).stream()
                .mapToInt(tag -> DEAR.indexOf(tag.value()) + 1)
                .max()
                .orElse(0);
    }
}
