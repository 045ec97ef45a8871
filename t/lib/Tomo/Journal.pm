package Tomo::Journal;

# Reads journals from their files, written from docs/formats.md and the layout
# in core/tomo_journal.h alone: it shares no code with what it checks.
#
#   my @records = Tomo::Journal::records("$folder/journal");
#
# A record is { writer, number, seq, at_ms, kind, lane, events, account, body }.

use strict;
use warnings;

my @TABLE = map {
    my $c = $_;
    $c = $c & 1 ? ($c >> 1) ^ 0x82F63B78 : $c >> 1 for 1 .. 8;
    $c;
} 0 .. 255;

sub crc32c {
    my ($bytes) = @_;
    my $c = 0xFFFFFFFF;
    $c = ($c >> 8) ^ $TABLE[($c ^ $_) & 255] for unpack 'C*', $bytes;
    return $c ^ 0xFFFFFFFF;
}

# The segments of one writer's folder, in order: { file, writer, number,
# first_seq, created_ms, size, bytes }.
sub segments {
    my ($folder) = @_;
    my @all;
    for my $file (sort glob "$folder/*.seg") {
        open my $fh, '<:raw', $file or next;
        my $bytes = do { local $/; <$fh> };
        my ($magic, $writer, $number, $first, $created, $size) = unpack 'a8 Q<4 L<', $bytes;
        die "$file: no segment\n" if $magic ne "TOMOJ1\r\n";
        die "$file: wrong checksum of the header\n"
            if unpack('L<', substr $bytes, 60, 4) != crc32c(substr $bytes, 0, 60);
        die "$file: longer than $size\n" if $size < length $bytes;    # adopted ones are cut
        die "$file: not its number\n" if $file !~ sprintf '/%016x\.seg$', $number;
        push @all, {
            file => $file, writer => $writer, number => $number, first_seq => $first,
            created_ms => $created, size => $size, bytes => $bytes,
        };
    }
    return @all;
}

# The good records of a segment from its first sequence on.
sub segment_records {
    my ($s) = @_;
    my @records;
    my ($at, $want) = (64, $s->{first_seq});
    while ($at + 32 <= length $s->{bytes}) {
        my ($len, $crc, $seq, $ms, $kind, $lane, $n, $zero, $events) =
            unpack 'L<2 Q< q< C4 L<', substr $s->{bytes}, $at, 32;
        last if $seq != $want || $at + 32 + $len > length $s->{bytes};
        my $id = pack 'Q<2', $s->{writer}, $s->{number};
        last if $crc != crc32c($id . substr $s->{bytes}, $at + 8, 24 + $len);
        my $payload = substr $s->{bytes}, $at + 32, $len;
        push @records, {
            writer => $s->{writer}, number => $s->{number}, seq => $seq, at_ms => $ms,
            kind => $kind, lane => $lane, events => $events,
            account => substr($payload, 0, $n), body => substr($payload, $n),
        };
        $at += (32 + $len + 7) & ~7;
        $want++;
    }
    return @records;
}

# Every record of every writer below the folder; a segment's records end where
# the next segment begins.
sub records {
    my ($journal) = @_;
    my @records;
    for my $folder (grep { m{/[0-9a-f]{16}$} } glob "$journal/*") {
        my @segments = segments($folder);
        for my $i (0 .. $#segments) {
            my $end = $i < $#segments ? $segments[$i + 1]{first_seq} : ~0;
            push @records, grep { $_->{seq} < $end } segment_records($segments[$i]);
        }
    }
    return @records;
}

1;
