using Npgsql;
using TrainingService.Host.Data;
using TrainingService.Host.Tests.Fixtures;

namespace TrainingService.Host.Tests.Metrics;

/// <summary>What is written in COPY's binary format is what Postgres has: a table of its own, read back by Npgsql.</summary>
public sealed class CopyRowsTests(Service service) : IAsyncLifetime
{
    private const string Into = "made (id, small, large, exact, real, reals, json)";

    private static readonly float?[] Reals = [0, -0f, 1.5f, float.Epsilon, float.MaxValue, float.NaN, float.NegativeInfinity, null];

    private readonly CancellationToken _cancellation = TestContext.Current.CancellationToken;
    private readonly NpgsqlConnection _connection = new(service.ConnectionString);

    public async ValueTask InitializeAsync()
    {
        await _connection.OpenAsync(_cancellation);
        await using var create = new NpgsqlCommand("""
            CREATE TEMPORARY TABLE made (id uuid, small smallint, large bigint, exact double precision, real real, reals real[],
                json jsonb CHECK (json <> '"refused"'))
            """, _connection);
        await create.ExecuteNonQueryAsync(_cancellation);
    }

    public async ValueTask DisposeAsync() => await _connection.DisposeAsync();

    [Fact]
    public async Task Every_value_comes_back_bit_by_bit()
    {
        // several times what goes in one message
        Row[] rows = [.. Enumerable.Range(0, 4000).Select(i => new Row(Guid.CreateVersion7(), (short)(i - 2000), long.MaxValue - i,
            i % 3 == 0 ? double.NaN : Math.PI * i, Reals[i % Reals.Length],
            i % 4 == 0 ? null : [.. Reals.Take(i % Reals.Length).OfType<float>()], $$"""{"text": "grüße 😀 {{i}}"}"""))];
        await using (var copy = await CopyRows.BeginAsync(_connection, Into))
        {
            foreach (var row in rows)
                await WriteAsync(copy, row);
            await copy.CompleteAsync();
        }
        Assert.Equal(rows.Select(row => row.ToString()), await ReadAsync());
    }

    [Fact]
    public async Task No_row_is_a_row_too_few()
    {
        await using (var copy = await CopyRows.BeginAsync(_connection, Into))
            await copy.CompleteAsync();
        Assert.Empty(await ReadAsync());
    }

    [Fact]
    public async Task What_is_not_complete_is_not_stored()
    {
        await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await using var copy = await CopyRows.BeginAsync(_connection, Into);
            for (var i = 0; i < 2000; i++)
                await WriteAsync(copy, new(Guid.NewGuid(), 1, 1, 1, 1, [1], "{}"));
            throw new InvalidOperationException();
        });
        Assert.Empty(await ReadAsync());
    }

    [Fact]
    public async Task What_Postgres_has_against_a_row_is_thrown_and_the_connection_goes_on()
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(async () =>
        {
            await using var copy = await CopyRows.BeginAsync(_connection, Into);
            await WriteAsync(copy, new(Guid.NewGuid(), 1, 1, 1, 1, [1], "\"refused\""));
            for (var i = 0; i < 4000; i++)
                await WriteAsync(copy, new(Guid.NewGuid(), 1, 1, 1, 1, [1], "{}"));
            await copy.CompleteAsync();
        });
        Assert.Equal(PostgresErrorCodes.CheckViolation, refusal.SqlState);
        Assert.Empty(await ReadAsync());
    }

    [Fact]
    public async Task A_lost_connection_is_an_outage()
    {
        await using var other = new NpgsqlConnection(service.ConnectionString);
        await other.OpenAsync(_cancellation);
        var loss = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            await using var copy = await CopyRows.BeginAsync(_connection, Into);
            await using var kill = new NpgsqlCommand($"SELECT pg_terminate_backend({_connection.ProcessID}, 10000)", other);
            await kill.ExecuteNonQueryAsync(_cancellation);
            for (var i = 0; i < 100_000; i++)
                await WriteAsync(copy, new(Guid.NewGuid(), 1, 1, 1, 1, [1], "{}"));
            await copy.CompleteAsync();
        });
        Assert.True(Database.IsOutage(loss), loss.ToString());
    }

    /// <summary>Whether it is silent after all was sent, or while more is sent than anybody's buffers take.</summary>
    [Theory]
    [InlineData(10)]
    [InlineData(300_000)]
    public async Task A_silent_network_is_an_outage_after_the_command_s_time_out(int rows)
    {
        await using var proxy = new FaultyProxy($"{service.ConnectionString};Pooling=false;Command Timeout=2;Cancellation Timeout=1");
        await using var connection = new NpgsqlConnection(proxy.ConnectionString);
        await connection.OpenAsync(_cancellation);
        await using (var create = new NpgsqlCommand("CREATE TEMPORARY TABLE made (id uuid)", connection))
            await create.ExecuteNonQueryAsync(_cancellation);
        var loss = await Assert.ThrowsAnyAsync<Exception>(() => CopyAsync().WaitAsync(TimeSpan.FromMinutes(1), _cancellation));
        Assert.True(Database.IsOutage(loss), loss.ToString());

        async Task CopyAsync()
        {
            await using var copy = await CopyRows.BeginAsync(connection, "made (id)");
            proxy.Mode = ProxyMode.BlackHole;
            for (var i = 0; i < rows; i++)
            {
                await copy.StartRowAsync(1);
                copy.Write(Guid.NewGuid());
            }
            await copy.CompleteAsync();
        }
    }

    private static async Task WriteAsync(CopyRows copy, Row row)
    {
        await copy.StartRowAsync(7);
        copy.Write(row.Id);
        copy.Write(row.Small);
        copy.Write(row.Large);
        copy.Write(row.Exact);
        copy.Write(row.Real);
        copy.Write(row.Reals);
        copy.WriteJson(row.Json);
    }

    private async Task<IReadOnlyList<string>> ReadAsync()
    {
        var rows = new List<string>();
        await using var query = new NpgsqlCommand("SELECT * FROM made", _connection);
        await using var reader = await query.ExecuteReaderAsync(_cancellation);
        while (await reader.ReadAsync(_cancellation))
            rows.Add(new Row(reader.GetGuid(0), reader.GetInt16(1), reader.GetInt64(2), reader.GetDouble(3),
                reader.IsDBNull(4) ? null : reader.GetFloat(4), reader.IsDBNull(5) ? null : reader.GetFieldValue<float[]>(5),
                reader.GetString(6)).ToString());
        return rows;
    }

    private sealed record Row(Guid Id, short Small, long Large, double Exact, float? Real, float[]? Reals, string Json)
    {
        public override string ToString() => string.Join(' ', Id, Small, Large, BitConverter.DoubleToInt64Bits(Exact),
            Real is { } real ? BitConverter.SingleToInt32Bits(real) : "null",
            Reals is null ? "null" : $"[{string.Join(' ', Reals.Select(BitConverter.SingleToInt32Bits))}]", Json);
    }
}
